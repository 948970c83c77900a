import { type NewConnection, type Vault, isEndedByChoice } from '@behalf/vault';
import type { EndedAccounts } from './ended-accounts.js';

/**
 * Stores what a person connected. Where it is another account than before, what was agreed to about that one is
 * forgotten first: an agent that was let into the private account must not find itself in the one of the company. So is
 * what was agreed to before the account was ended: that is done when it ends, too, but news of it can be lost.
 */
export async function connectAccount(
  connection: NewConnection,
  { vault, ended }: { vault: Vault; ended: EndedAccounts },
): Promise<void> {
  if (await vault.replacesAnother(connection))
    await ended.forgetConsents(connection.owner, connection.providerId, 'another account');
  const { owner, providerId } = connection;
  for (const former of await vault.list(owner)) {
    if (former.providerId !== providerId || !isEndedByChoice(former)) continue;
    await ended.forgetConsents(owner, providerId, former.reason ?? '', former.statusSinceMs);
  }
  await vault.storeConnection(connection);
}
