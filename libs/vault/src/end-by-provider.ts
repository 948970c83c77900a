import type { AccountIndex } from './account-index.js';
import { changeConnection, ended } from './change-connection.js';
import { connectionKind } from './connection.js';
import type { VaultDependencies } from './vault-dependencies.js';

/**
 * The provider told us that a grant is over: its tokens are dropped everywhere. There is nothing left to revoke.
 *
 * @returns whether there was anything to end
 */
export async function endByProvider(
  id: string,
  { records, clock, audit, onFault }: Pick<VaultDependencies, 'records' | 'clock' | 'audit' | 'onFault'>,
): Promise<boolean> {
  let isEnded = false;
  const changed = await changeConnection(records, id, ({ value }) => {
    isEnded = value.status === 'active';
    return isEnded ? ended(value, 'needs_consent', 'revoked_by_provider', clock.nowMs()) : undefined;
  });
  if (!changed || !isEnded) return false;
  const record = {
    type: 'disconnection',
    outcome: 'allowed' as const,
    occurredAtMs: clock.nowMs(),
    person: changed.value.owner,
    details: { connection: id, provider: changed.value.providerId, reason: 'revoked_by_provider' },
  };
  // It is ended already; failing now would only hide that.
  await audit.append(record).catch((error: unknown) => onFault('a disconnection was not recorded', error));
  return true;
}

/** Every connection of one account at a provider, whoever it belongs to here. @returns how many were ended */
export async function endByAccount(
  { providerId, accountId }: { providerId: string; accountId: string },
  accounts: Pick<AccountIndex, 'keyOf'>,
  dependencies: Pick<VaultDependencies, 'records' | 'clock' | 'audit' | 'onFault'>,
): Promise<number> {
  const where = { providerId, accountKey: await accounts.keyOf(providerId, accountId) };
  let count = 0;
  let afterId: string | undefined;
  for (;;) {
    const page = await dependencies.records.list(connectionKind, {
      where,
      ...(afterId !== undefined && { afterId }),
    });
    for (const { id } of page) if (await endByProvider(id, dependencies)) count += 1;
    afterId = page.at(-1)?.id;
    if (afterId === undefined) return count;
  }
}
