import { listRevocationsAfter } from '@behalf/adapter-oidc-provider';
import { listRevocations } from '@behalf/contracts';
import type { Bus, Clock, RecordStore, Subscription } from '@behalf/ports';

/** Tells enforcement points what is revoked when they start, and from then on what they may have missed. */
export function answerRevocations(bus: Bus, records: RecordStore, clock: Clock): Subscription {
  return bus.handle(listRevocations, ({ after }) => listRevocationsAfter(records, after, clock.nowMs()));
}
