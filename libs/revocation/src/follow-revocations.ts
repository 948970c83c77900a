import { listRevocations, revocationCreated } from '@behalf/contracts';
import type { Bus, Subscription } from '@behalf/ports';
import { attributes } from '@behalf/telemetry';
import { type ObservableCallback, metrics } from '@opentelemetry/api';
import type { RevocationView } from './revocation-view.js';

const timeoutMs = 2_000;
const everyMs = 1_000;
const firstRetryMs = 100;

export interface FollowOptions {
  /** Whose view it is: there may be several in one process. */
  service: string;
  /** Called when something has been revoked. */
  onRevoked?: () => void;
  /** How often is asked whether anything was missed. */
  intervalMs?: number;
}

/**
 * Keeps a view up to date. Events tell of each revocation in milliseconds; besides, the authorization server is asked
 * again and again for what came after the last answer, so that nothing depends on the events: not one that was lost,
 * not the stream itself. While it does not answer, the view is not confirmed, and after a while refuses everything.
 */
export function followRevocations(
  bus: Bus,
  view: RevocationView,
  { service, onRevoked = () => {}, intervalMs = everyMs }: FollowOptions,
): Subscription {
  const events = bus.subscribe(revocationCreated, (event) => {
    view.add(event.data);
    onRevoked();
  });
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let after: string | undefined;

  const catchUp = async (): Promise<void> => {
    let more: boolean;
    do {
      // What is revoked after the question is asked may be missing in the answer.
      const askedAt = view.moment();
      const page = await bus.request(listRevocations, after === undefined ? {} : { after }, { timeoutMs });
      for (const revocation of page.revocations) view.add(revocation);
      ({ cursor: after, more } = page);
      if (!more) view.confirm(askedAt);
      if (page.revocations.length > 0) onRevoked();
    } while (more);
  };
  const follow = async (retryMs: number): Promise<void> => {
    const [pauseMs, nextRetryMs] = await catchUp().then(
      () => [intervalMs, firstRetryMs] as const,
      () => [retryMs, Math.min(retryMs * 2, intervalMs)] as const,
    );
    if (stopped) return;
    timer = setTimeout(() => void follow(nextRetryMs), pauseMs * (0.5 + Math.random())).unref();
  };
  const lag = metrics.getMeter('behalf').createObservableGauge('behalf.revocation.lag', {
    description: 'Since it was last known that no revocation is missing',
    unit: 's',
  });
  const observe: ObservableCallback = (result) =>
    result.observe(view.lagMs / 1000, { [attributes.serviceName]: service });
  lag.addCallback(observe);
  void follow(firstRetryMs);

  return {
    drain: async () => {
      stopped = true;
      clearTimeout(timer);
      lag.removeCallback(observe);
      await events.drain();
    },
  };
}
