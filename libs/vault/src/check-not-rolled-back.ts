import type { StoredRecord } from '@behalf/ports';
import { type ConnectionRecord, connectionKind } from './connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

/** Longer than anybody leaves a connection unused that is then worth rolling back. */
const rememberedSeconds = 90 * 24 * 3600;

/** To be called after every write of tokens. */
export async function rememberVersion(
  { seenVersions }: Pick<VaultDependencies, 'seenVersions'>,
  id: string,
  credentialVersion: number,
): Promise<void> {
  await seenVersions.set(id, credentialVersion, rememberedSeconds);
}

/**
 * Whether a row is the newest one that anybody has seen. A whole row of yesterday is sealed as it should be, so only
 * what is remembered elsewhere tells; where nobody remembers, nobody can.
 */
export async function isRolledBack(
  { records, seenVersions }: Pick<VaultDependencies, 'records' | 'seenVersions'>,
  { id, value }: StoredRecord<ConnectionRecord>,
): Promise<boolean> {
  const seen = (await seenVersions.get(id)) ?? 0;
  if (value.credentialVersion >= seen) return false;
  // It was read before another replica wrote: read again what is there now.
  const now = await records.get(connectionKind, id);
  return (now?.value.credentialVersion ?? 0) < seen;
}
