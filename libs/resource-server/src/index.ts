/**
 * What every protected resource does with a request: find the access token, check that it is one of ours, for this
 * resource, alive and not revoked, and presented by who it is bound to, and answer with the challenges of RFC 6750 and
 * RFC 9449 and the metadata of RFC 9728. Whether the call itself is allowed is decided by policy, not here.
 */
export { type AccessTokenClaims, accessTokenClaimsSchema } from './access-token-claims.js';
export { AccessTokenVerifier, type AccessTokenVerifierOptions, remoteKeys } from './access-token-verifier.js';
export { type PresentedToken, readBearerToken, readPresentedToken } from './presented-token.js';
export { bearerChallenge, type ChallengeOptions, dpopChallenge } from './challenge.js';
export { DpopNonces } from './dpop-nonces.js';
export {
  type DpopProofClaims,
  dpopAlgorithms,
  type ExpectedProof,
  maxProofAgeSeconds,
  readDpopProof,
  verifyDpopProof,
} from './verify-dpop-proof.js';
export { type Presentation, SenderConstraints, type SenderConstraintsOptions } from './sender-constraints.js';
export { protectedResourceMetadata, type ProtectedResourceMetadata } from './protected-resource-metadata.js';
