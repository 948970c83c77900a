import { endThirdPartyAccount } from '@behalf/contracts';
import type { Bus, Subscription } from '@behalf/ports';
import type { Vault } from '@behalf/vault';

/** Ends what stands on an account that its third party says is over. */
export function answerEndedAccounts(bus: Bus, vault: Pick<Vault, 'endByAccount'>): Subscription {
  return bus.handle(endThirdPartyAccount, async ({ provider, account }) => ({
    ended: await vault.endByAccount(provider, account),
  }));
}
