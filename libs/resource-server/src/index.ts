/**
 * What every protected resource does with a request: find the bearer token, check that it is one of ours, for this
 * resource, alive and not revoked, and answer with the challenge of RFC 6750 and the metadata of RFC 9728.
 * Whether the call itself is allowed is decided by policy, not here.
 */
export { type AccessTokenClaims, accessTokenClaimsSchema } from './access-token-claims.js';
export { AccessTokenVerifier, type AccessTokenVerifierOptions, remoteKeys } from './access-token-verifier.js';
export { readBearerToken } from './read-bearer-token.js';
export { bearerChallenge, type ChallengeOptions } from './bearer-challenge.js';
export { protectedResourceMetadata, type ProtectedResourceMetadata } from './protected-resource-metadata.js';
