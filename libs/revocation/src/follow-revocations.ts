import { listRevocations, revocationCreated } from '@behalf/contracts';
import type { Bus, Subscription } from '@behalf/ports';
import type { RevocationView } from './revocation-view.js';

const snapshotTimeoutMs = 5_000;
const firstRetryMs = 100;
const longestRetryMs = 5_000;

/**
 * Keeps a view up to date: listens to events first and takes the snapshot second, so that nothing falls between.
 * While the authorization server cannot be asked the view stays unloaded and everything is refused; it is asked again
 * with growing, jittered pauses until it answers.
 */
export function followRevocations(bus: Bus, view: RevocationView): Subscription {
  const events = bus.subscribe(revocationCreated, (event) => view.add(event.data));
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  const load = async (pauseMs: number): Promise<void> => {
    try {
      const { revocations } = await bus.request(listRevocations, {}, { timeoutMs: snapshotTimeoutMs });
      view.load(revocations);
    } catch {
      if (stopped) return;
      timer = setTimeout(
        () => void load(Math.min(pauseMs * 2, longestRetryMs)),
        pauseMs * (0.5 + Math.random()),
      );
    }
  };
  void load(firstRetryMs);

  return {
    drain: async () => {
      stopped = true;
      clearTimeout(timer);
      await events.drain();
    },
  };
}
