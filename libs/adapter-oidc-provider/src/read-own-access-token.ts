import { OAuthError } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { type AccessTokenClaims, AccessTokenVerifier } from '@behalf/resource-server';
import { type RevocableClaims, RevocationView, revocationKeys } from '@behalf/revocation';
import { decodeJwt, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { revocationRecords } from './revocation-records.js';

/**
 * Verifies an access token of our own, whatever resource it is for. Revocations are read from the record store, so
 * that what was revoked a moment ago is.
 *
 * Does not check who presents it.
 *
 * @throws OAuthError `invalid_token`
 */
export async function readOwnAccessToken(
  token: string,
  deps: { issuer: string; verificationKeys: JWTVerifyGetKey; records: RecordStore; clock: Clock },
): Promise<AccessTokenClaims> {
  const unverified = decode(token);
  if (typeof unverified.aud !== 'string') throw new OAuthError('invalid_token', 'one audience is required');
  const revocations = new RevocationView(deps.clock);
  const found = await Promise.all(
    revocationKeys(unverified as unknown as RevocableClaims).map((key) =>
      deps.records.get(revocationRecords, key),
    ),
  );
  revocations.load(found.flatMap((record) => (record ? [record.value] : [])));
  const verifier = new AccessTokenVerifier({
    issuer: deps.issuer,
    keys: deps.verificationKeys,
    revocations,
    clock: deps.clock,
  });
  return verifier.verify(token, unverified.aud);
}

function decode(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch (cause) {
    throw new OAuthError('invalid_token', 'not an access token', { cause });
  }
}
