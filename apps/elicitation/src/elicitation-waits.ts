import { elicitationChanged } from '@behalf/contracts';
import type { Bus, Subscription } from '@behalf/ports';

const maxWaits = 2_000;

/** Those who wait for a person, woken by the event whichever replica the person is at. */
export class ElicitationWaits {
  readonly #waits = new Map<string, Set<() => void>>();
  #count = 0;
  #ended = false;

  follow(bus: Bus): Subscription {
    return bus.subscribe(elicitationChanged, ({ data }) => {
      // The steps on the way wake nobody: there would be nothing to tell. The first may be heard of late.
      if (['pending', 'opened', 'consented'].includes(data.status)) return;
      this.#waits.get(data.id)?.forEach((wake) => wake());
    });
  }

  /** Resolves when it has ended, or after the time; at once when too many wait already, or the service closes. */
  wait(id: string, timeoutMs: number): Promise<void> {
    if (this.#ended || this.#count >= maxWaits) return Promise.resolve();
    return new Promise((resolve) => {
      const waiting = this.#waits.get(id) ?? new Set();
      const wake = (): void => {
        clearTimeout(timer);
        if (waiting.delete(wake)) this.#count -= 1;
        if (waiting.size === 0 && this.#waits.get(id) === waiting) this.#waits.delete(id);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      this.#waits.set(id, waiting.add(wake));
      this.#count += 1;
    });
  }

  /** Lets everybody go: the service closes. */
  end(): void {
    this.#ended = true;
    for (const waiting of this.#waits.values()) waiting.forEach((wake) => wake());
  }
}
