import { changeConnection, ended } from './change-connection.js';
import type { StoredConnection } from './store-connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

/** A token that is refused so soon after it was given is not mended by another one. */
const freshMs = 30_000;

/**
 * A provider refused an access token before its time. It is refreshed before its next use; where it cannot be, or was
 * fresh already, its person has to connect anew. What was said of an older version is of no interest any more.
 */
export async function reportRefused(
  id: string,
  credentialVersion: number,
  { records, clock }: Pick<VaultDependencies, 'records' | 'clock'>,
): Promise<StoredConnection | undefined> {
  return changeConnection(records, id, ({ value }) => {
    if (value.credentialVersion !== credentialVersion || value.status !== 'active') return undefined;
    const nowMs = clock.nowMs();
    if (!value.isRefreshable || nowMs < value.credentialSinceMs + freshMs) {
      return ended(value, 'needs_consent', 'refused_by_provider', nowMs);
    }
    return { ...value, accessTokenExpiresAtMs: Math.min(nowMs, value.accessTokenExpiresAtMs ?? nowMs) };
  });
}
