import type { VerifiedTokens } from '@behalf/exchange-cache';
import type { Clock, RecordStore } from '@behalf/ports';
import { type AccessTokenClaims, AccessTokenVerifier } from '@behalf/resource-server';
import type { JWTVerifyGetKey } from 'jose';
import { checkNotRevoked } from './check-not-revoked.js';

export interface OwnAccessTokenDependencies {
  issuer: string;
  verificationKeys: JWTVerifyGetKey;
  records: RecordStore;
  clock: Clock;
  /** Signatures that were verified before. */
  verified?: VerifiedTokens<AccessTokenClaims>;
}

/**
 * Verifies an access token of our own, whatever resource it is for. Revocations are read from the record store, so
 * that what was revoked a moment ago is; they are looked for once the signature is known to be ours.
 *
 * Does not check who presents it, nor a proof of the key that a sender-constrained token is bound to.
 *
 * @throws OAuthError `invalid_token`
 */
export function readOwnAccessToken(
  token: string,
  deps: OwnAccessTokenDependencies,
): Promise<AccessTokenClaims> {
  return ownAccessTokenReader(deps)(token);
}

/** The same for who reads many. */
export function ownAccessTokenReader({
  issuer,
  verificationKeys: keys,
  records,
  clock,
  verified,
}: OwnAccessTokenDependencies): (token: string) => Promise<AccessTokenClaims> {
  const revocations = { isRevoked: () => false };
  const verifier = new AccessTokenVerifier({ issuer, keys, revocations, clock });
  const verify = (token: string): Promise<AccessTokenClaims> => verifier.verifyForAnyAudience(token);
  return async (token) => {
    const claims = await (verified ? verified.verify(token, verify) : verify(token));
    await checkNotRevoked([claims], { records });
    return claims;
  };
}
