import type { VerifiedTokens } from '@behalf/exchange-cache';
import type { Clock, RecordStore } from '@behalf/ports';
import { type AccessTokenClaims, AccessTokenVerifier } from '@behalf/resource-server';
import { RevocationView } from '@behalf/revocation';
import type { JWTVerifyGetKey } from 'jose';
import { checkNotRevoked } from './check-not-revoked.js';

/**
 * Verifies an access token of our own, whatever resource it is for. Revocations are read from the record store, so
 * that what was revoked a moment ago is; they are looked for once the signature is known to be ours.
 *
 * Does not check who presents it, nor a proof of the key that a sender-constrained token is bound to.
 *
 * @throws OAuthError `invalid_token`
 */
export async function readOwnAccessToken(
  token: string,
  deps: {
    issuer: string;
    verificationKeys: JWTVerifyGetKey;
    records: RecordStore;
    clock: Clock;
    /** Signatures that were verified before. */
    verified?: VerifiedTokens<AccessTokenClaims>;
  },
): Promise<AccessTokenClaims> {
  const revocations = new RevocationView(deps.clock);
  revocations.load([]);
  const verifier = new AccessTokenVerifier({
    issuer: deps.issuer,
    keys: deps.verificationKeys,
    revocations,
    clock: deps.clock,
  });
  const verify = (presented: string): Promise<AccessTokenClaims> => verifier.verifyForAnyAudience(presented);
  const claims = await (deps.verified ? deps.verified.verify(token, verify) : verify(token));
  await checkNotRevoked([claims], deps);
  return claims;
}
