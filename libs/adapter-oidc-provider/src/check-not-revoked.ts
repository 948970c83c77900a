import { OAuthError } from '@behalf/oauth';
import type { RecordReader } from '@behalf/ports';
import { type RevocableClaims, revocationKeys, touches } from '@behalf/revocation';
import { revocationRecords } from './revocation-records.js';

/**
 * Holds verified claims against the revocations in the record store: what was revoked a moment ago is.
 *
 * @throws OAuthError `invalid_token`
 */
export async function checkNotRevoked(
  claims: RevocableClaims,
  { records }: { records: RecordReader },
): Promise<void> {
  const ids = revocationKeys(claims);
  const found = await records.list(revocationRecords, { ids, limit: ids.length });
  if (found.some(({ value }) => touches(value, claims)))
    throw new OAuthError('invalid_token', 'the token was revoked');
}
