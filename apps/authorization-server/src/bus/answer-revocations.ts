import { liveRevocations } from '@behalf/adapter-oidc-provider';
import { listRevocations } from '@behalf/contracts';
import type { Bus, RecordStore, Subscription } from '@behalf/ports';

/** Tells enforcement points what is revoked when they start, and again when they have missed an event. */
export function answerRevocations(bus: Bus, records: RecordStore): Subscription {
  return bus.handle(listRevocations, async () => ({ revocations: await liveRevocations(records) }));
}
