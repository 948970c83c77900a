import { policyChanged, revocationCreated } from '@behalf/contracts';
import type { ExchangeCache } from '@behalf/exchange-cache';
import type { Bus, Subscription } from '@behalf/ports';

/** Drops kept exchanges when what they stand on ends. */
export function followCacheEvents(bus: Bus, cache: ExchangeCache): Subscription[] {
  return [
    bus.subscribe(revocationCreated, ({ data }) => cache.dropRevoked(data)),
    bus.subscribe(policyChanged, ({ data }) => cache.policyChanged(data.version)),
  ];
}
