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
  await seenVersions.set(keyOf(id), String(credentialVersion), rememberedSeconds);
}

/** The newest version that anybody remembers; 0 where nobody does. */
export async function newestSeenVersion(
  { seenVersions }: Pick<VaultDependencies, 'seenVersions'>,
  id: string,
): Promise<number> {
  return Number((await seenVersions.get(keyOf(id))) ?? 0);
}

/**
 * Whether a row is the newest one that anybody has seen. A whole row of yesterday is sealed as it should be, so only
 * what is remembered elsewhere tells; where nobody remembers, nobody can.
 */
export async function isRolledBack(
  dependencies: Pick<VaultDependencies, 'records' | 'seenVersions'>,
  { id, value }: StoredRecord<ConnectionRecord>,
): Promise<boolean> {
  const seen = await newestSeenVersion(dependencies, id);
  if (value.credentialVersion >= seen) return false;
  // It was read before another replica wrote: read again what is there now.
  const now = await dependencies.records.get(connectionKind, id);
  return (now?.value.credentialVersion ?? 0) < seen;
}

function keyOf(id: string): string {
  return `vault-version ${id}`;
}
