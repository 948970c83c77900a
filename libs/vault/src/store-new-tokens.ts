import { RecordConflict } from '@behalf/ports';
import type { ProviderTokens } from '@behalf/third-party';
import { writeConnection } from './change-connection.js';
import { rememberVersion } from './check-not-rolled-back.js';
import type { ConnectionRecord } from './connection.js';
import { notePendingRevocation, tryRevocation } from './pending-revocations.js';
import { readConnection } from './read-connection.js';
import { backoffMs } from './refresh-timing.js';
import { placeOf, sealTokens } from './sealed-credential.js';
import { type StoredConnection, credentialMembers } from './store-connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

/** New tokens are in no other place than ours: so long they are tried to be stored. */
const storePatienceMs = 60_000;

/**
 * Stores what a provider gave for a refresh token, before anybody uses it: what is not stored is lost with this process,
 * and the old refresh token is gone already. What is newer stays, and is returned in its place.
 *
 * @param fence of the lease under which it was asked for: of two answers for one token the later one stays
 */
export async function storeNewTokens(
  begun: StoredConnection,
  tokens: ProviderTokens,
  fence: number,
  dependencies: VaultDependencies,
): Promise<StoredConnection> {
  const { clock, wait, random, onFault } = dependencies;
  const untilMs = clock.nowMs() + storePatienceMs;
  for (let failures = 0; ; failures++) {
    try {
      return await storeOnce(begun, tokens, fence, dependencies);
    } catch (error) {
      if (clock.nowMs() > untilMs) throw error;
      if (!(error instanceof RecordConflict)) onFault('new tokens could not be stored yet', error);
      await wait(Math.min(2_000, backoffMs(failures, random()) / 10));
    }
  }
}

async function storeOnce(
  { id, value: before }: StoredConnection,
  tokens: ProviderTokens,
  fence: number,
  dependencies: VaultDependencies,
): Promise<StoredConnection> {
  const { records, keys, clock } = dependencies;
  const base = before.credentialVersion;
  const current = await readConnection(records, id);
  if (current.value.status === 'disconnected') {
    await giveBack(current, tokens, dependencies);
    return current;
  }
  const since = current.value.refreshedFrom;
  const isNext = current.value.credentialVersion === base;
  const isLaterAnswer = since?.credentialVersion === base && since.fence < fence;
  if (!isNext && !isLaterAnswer) return current;
  const nowMs = clock.nowMs();
  const credentialVersion = current.value.credentialVersion + 1;
  const place = { ...placeOf(id, current.value), credentialVersion };
  const { reason: _reason, accessTokenExpiresAtMs: _end, refresh: _refresh, ...kept } = current.value;
  const account = before.sealed?.account;
  const value: ConnectionRecord = {
    ...kept,
    status: 'active',
    statusSinceMs: kept.status === 'active' ? kept.statusSinceMs : nowMs,
    ...credentialMembers(tokens, credentialVersion, nowMs),
    sealed: {
      ...(account !== undefined && { account }),
      ...(await sealTokens(keys, place, { ...tokens, account: undefined })),
    },
    refreshedFrom: { credentialVersion: base, fence },
  };
  const stored = await writeConnection(records, id, value, current);
  await rememberVersion(dependencies, id, credentialVersion);
  return stored;
}

/** The connection was ended while its provider made new tokens: these are over, too. */
async function giveBack(
  { id, value }: StoredConnection,
  tokens: ProviderTokens,
  dependencies: VaultDependencies,
): Promise<void> {
  const { records, keys, clock } = dependencies;
  const credentialVersion = value.credentialVersion + 1;
  const sealed = await sealTokens(keys, { ...placeOf(id, value), credentialVersion }, tokens);
  const given = { id, version: 0, expiresAtMs: undefined, value: { ...value, credentialVersion, sealed } };
  const pending = await records.transaction((transaction) =>
    notePendingRevocation(transaction, given, clock.nowMs()),
  );
  if (pending !== undefined) await tryRevocation(pending, dependencies);
}
