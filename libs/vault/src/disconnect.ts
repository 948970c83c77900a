import { changeConnection, ended } from './change-connection.js';
import { type ConnectionReason, connectionKind, toConnection } from './connection.js';
import { notePendingRevocation, tryRevocation } from './pending-revocations.js';
import type { Disconnected } from './ports.js';
import type { StoredConnection } from './store-connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

/**
 * Ends a connection: here first, with the event that makes everybody drop its tokens, then at the provider. What the
 * provider has to be told is written down with the former, so that it is told later when it cannot be told now.
 *
 * Does not check who asks.
 *
 * @returns undefined when there is no such connection; one that is ended already is left as it is
 */
export async function disconnect(
  id: string,
  reason: ConnectionReason,
  dependencies: VaultDependencies,
): Promise<Disconnected | undefined> {
  const { records, clock } = dependencies;
  let pending: string | undefined;
  const changed = await changeConnection(
    records,
    id,
    ({ value }) =>
      value.status === 'disconnected' ? undefined : ended(value, 'disconnected', reason, clock.nowMs()),
    // As it was right before the change that ended it, so that no refresh slips new tokens in between.
    async (transaction, before) => {
      pending = await notePendingRevocation(transaction, before, clock.nowMs());
    },
  );
  if (!changed) return undefined;
  const atProvider =
    pending === undefined ? 'unsupported' : ((await tryRevocation(pending, dependencies)) ?? 'failed');
  await writeDown(changed, reason, atProvider, dependencies);
  return { connection: toConnection(changed), atProvider };
}

/** Every connection of a person who left. */
export async function disconnectPerson(
  owner: string,
  reason: ConnectionReason,
  dependencies: VaultDependencies,
): Promise<Disconnected[]> {
  const done: Disconnected[] = [];
  let afterId: string | undefined;
  for (;;) {
    const page = await dependencies.records.list(connectionKind, {
      where: { owner },
      ...(afterId !== undefined && { afterId }),
    });
    for (const { id, value } of page) {
      if (value.status === 'disconnected') continue;
      const result = await disconnect(id, reason, dependencies);
      if (result) done.push(result);
    }
    afterId = page.at(-1)?.id;
    if (afterId === undefined) return done;
  }
}

async function writeDown(
  { id, value }: StoredConnection,
  reason: ConnectionReason,
  atProvider: Disconnected['atProvider'],
  { audit, clock, onFault }: VaultDependencies,
): Promise<void> {
  const record = {
    type: 'disconnection',
    outcome: 'allowed' as const,
    occurredAtMs: clock.nowMs(),
    person: value.owner,
    details: { connection: id, provider: value.providerId, reason, atProvider },
  };
  // It is ended already; failing now would only hide that.
  await audit.append(record).catch((error: unknown) => onFault('a disconnection was not recorded', error));
}
