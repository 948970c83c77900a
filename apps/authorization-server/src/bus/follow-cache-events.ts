import { connectionChanged, consentWithdrawn, policyChanged, revocationCreated } from '@behalf/contracts';
import type { ExchangeCache, LentTokenCache } from '@behalf/exchange-cache';
import type { Bus, Subscription } from '@behalf/ports';

/** Drops kept exchanges when what they stand on ends. */
export function followCacheEvents(
  bus: Bus,
  cache: ExchangeCache,
  lentTokens: Pick<LentTokenCache, 'dropRevoked' | 'dropAccount' | 'policyChanged'>,
): Subscription[] {
  return [
    bus.subscribe(revocationCreated, async ({ data }) => {
      lentTokens.dropRevoked(data);
      await cache.dropRevoked(data);
    }),
    bus.subscribe(policyChanged, ({ data }) => {
      cache.policyChanged(data.version);
      lentTokens.policyChanged(data.version);
    }),
    bus.subscribe(connectionChanged, ({ data }) => lentTokens.dropAccount(data.owner, data.providerId)),
    bus.subscribe(consentWithdrawn, ({ data }) => lentTokens.dropAccount(data.owner, data.providerId)),
  ];
}
