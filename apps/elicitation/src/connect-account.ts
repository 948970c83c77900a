import type { NewConnection, Vault } from '@behalf/vault';
import type { EndedAccounts } from './ended-accounts.js';

/**
 * Stores what a person connected. Where it is another account than before, what was agreed to about that one is
 * forgotten first: an agent that was let into the private account must not find itself in the one of the company.
 */
export async function connectAccount(
  connection: NewConnection,
  { vault, ended }: { vault: Vault; ended: EndedAccounts },
): Promise<void> {
  if (await vault.replacesAnother(connection))
    await ended.forgetConsents(connection.owner, connection.providerId, 'another account');
  await vault.storeConnection(connection);
}
