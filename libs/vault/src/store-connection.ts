import { RecordConflict, type StoredRecord } from '@behalf/ports';
import type { ProviderTokens } from '@behalf/third-party';
import type { AccountIndex } from './account-index.js';
import { writeConnection } from './change-connection.js';
import { newestSeenVersion, rememberVersion } from './check-not-rolled-back.js';
import {
  type Connection,
  type ConnectionRecord,
  connectionId,
  connectionKind,
  toConnection,
} from './connection.js';
import type { NewConnection } from './ports.js';
import { type CredentialPlace, sealTokens } from './sealed-credential.js';
import type { VaultDependencies } from './vault-dependencies.js';

const maxAttempts = 10;

/**
 * Seals and stores what a person's consent gave. What was there for them is replaced, whatever its state: they have
 * just said yes. A refresh that is under way for what was there before finds another version, and leaves it alone.
 *
 * @throws SealingError `unavailable`; RecordConflict when others were first ten times in a row
 */
export async function storeConnection(
  { owner, tenant, providerId, resource, tokens }: NewConnection,
  accounts: Pick<AccountIndex, 'keyOf'>,
  dependencies: Pick<VaultDependencies, 'records' | 'keys' | 'seenVersions' | 'clock'>,
): Promise<Connection> {
  const { records, clock, keys } = dependencies;
  const { accountId } = tokens;
  const accountKey = accountId === undefined ? undefined : await accounts.keyOf(providerId, accountId);
  const id = connectionId({ tenant, owner, providerId, resource });
  for (let attempt = 1; ; attempt++) {
    const before = await records.get(connectionKind, id);
    // Where the row was rolled back, the version goes on from the newest one that was seen.
    const seen = await newestSeenVersion(dependencies, id);
    const credentialVersion = Math.max(before?.value.credentialVersion ?? 0, seen) + 1;
    const nowMs = clock.nowMs();
    const place: CredentialPlace = { id, owner, tenant, providerId, resource, credentialVersion };
    const value: ConnectionRecord = {
      owner,
      tenant,
      providerId,
      resource,
      status: 'active',
      createdAtMs: before?.value.createdAtMs ?? nowMs,
      statusSinceMs: nowMs,
      ...credentialMembers(tokens, credentialVersion, nowMs),
      ...(accountKey !== undefined && { accountKey }),
      sealed: await sealTokens(keys, place, tokens),
    };
    try {
      const stored = await writeConnection(records, id, value, before);
      await rememberVersion(dependencies, id, credentialVersion);
      return toConnection(stored);
    } catch (error) {
      if (!(error instanceof RecordConflict) || attempt === maxAttempts) throw error;
    }
  }
}

/** What a record says about its tokens without telling them. */
export function credentialMembers(
  { scopes, expiresInSeconds, refreshToken }: ProviderTokens,
  credentialVersion: number,
  nowMs: number,
): Pick<
  ConnectionRecord,
  'scopes' | 'credentialVersion' | 'credentialSinceMs' | 'isRefreshable' | 'accessTokenExpiresAtMs'
> {
  return {
    scopes: [...scopes],
    credentialVersion,
    credentialSinceMs: nowMs,
    isRefreshable: refreshToken !== undefined,
    ...(expiresInSeconds !== undefined && { accessTokenExpiresAtMs: nowMs + expiresInSeconds * 1000 }),
  };
}

export type StoredConnection = StoredRecord<ConnectionRecord>;
