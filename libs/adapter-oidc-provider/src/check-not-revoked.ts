import { OAuthError } from '@behalf/oauth';
import type { RecordReader } from '@behalf/ports';
import { type RevocableClaims, revocationKeys, touches } from '@behalf/revocation';
import { revocationRecords } from './revocation-records.js';

/**
 * Holds verified tokens against the revocations in the record store: what was revoked a moment ago is.
 *
 * @throws OAuthError `invalid_token` when one of them was
 */
export async function checkNotRevoked(
  tokens: readonly RevocableClaims[],
  { records }: { records: RecordReader },
): Promise<void> {
  const keys = tokens.map(revocationKeys);
  const ids = [...new Set(keys.flat())];
  const found = await records.list(revocationRecords, { ids, limit: ids.length });
  const isRevoked = found.some(({ id, value }) =>
    tokens.some((claims, nth) => keys[nth]?.includes(id) && touches(value, claims)),
  );
  if (isRevoked) throw new OAuthError('invalid_token', 'the token was revoked');
}
