import type { RevokeRequest } from '@behalf/third-party';
import { changeConnection, ended } from './change-connection.js';
import { type ConnectionReason, connectionKind, toConnection } from './connection.js';
import type { Disconnected } from './ports.js';
import { openAccess, openRefresh, placeOf } from './sealed-credential.js';
import type { StoredConnection } from './store-connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

/**
 * Ends a connection: here first, with the event that makes everybody drop its tokens, then at the provider. A provider
 * that cannot be told changes nothing about the former.
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
  // As it was right before the change that ended it, so that no refresh slips new tokens in between.
  let before: StoredConnection | undefined;
  const changed = await changeConnection(records, id, (current) => {
    before = current;
    return current.value.status === 'disconnected'
      ? undefined
      : ended(current.value, 'disconnected', reason, clock.nowMs());
  });
  if (!changed || !before) return undefined;
  const atProvider = await revokeAtProvider(before, dependencies);
  await writeDown(before, reason, atProvider, dependencies);
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

async function revokeAtProvider(
  { id, value }: StoredConnection,
  { keys, providers, thirdParties, onFault }: VaultDependencies,
): Promise<Disconnected['atProvider']> {
  const provider = providers.find((known) => known.id === value.providerId);
  if (!provider || !value.sealed) return 'unsupported';
  const { access, refresh } = value.sealed;
  try {
    const place = placeOf(id, value);
    const { accessToken } = await openAccess(keys, place, access);
    const opened = refresh === undefined ? undefined : await openRefresh(keys, place, refresh);
    const request: RevokeRequest = {
      accessToken,
      refreshToken: opened?.refreshToken,
      client: opened?.client,
    };
    return await thirdParties.revoke(provider, request);
  } catch (error) {
    onFault('a connection was ended here, but not at its provider', error);
    return 'failed';
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
