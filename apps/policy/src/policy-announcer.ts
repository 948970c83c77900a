import { policyChanged } from '@behalf/contracts';
import type { RecordStore } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import { setTimeout } from 'node:timers/promises';

/** With jitter these are about five minutes. Whoever was not told by then has an operator who reads the log. */
const pauses = { firstMs: 200, longestMs: 60_000, maxTries: 14 };

/**
 * Tells everybody which policies decide (`policyChanged`), and goes on trying where the records cannot be written just
 * then: whoever keeps answers of the policies before drops them by it. Only the newest is told.
 */
export class PolicyAnnouncer {
  #newest: string | undefined;
  readonly #ended = new AbortController();

  constructor(
    private readonly records: RecordStore,
    private readonly logger: Logger,
    private readonly times = pauses,
  ) {}

  /** Resolves when it was told, was overtaken by a newer one, or was given up, which is logged. */
  async tell(version: string): Promise<void> {
    this.#newest = version;
    for (let tries = 1; this.#newest === version; tries++) {
      const isLast = tries === this.times.maxTries || this.#ended.signal.aborted;
      try {
        // Through the outbox, so that listeners see one sequence with every other event.
        await this.records.transaction((transaction) => transaction.emit(policyChanged, { version }));
        return;
      } catch (err) {
        const said = { err, policy_version: version };
        if (isLast) return this.logger.error(said, 'a policy change could not be told');
        this.logger.warn(said, 'a policy change could not be told yet');
      }
      await this.#pause(tries);
    }
  }

  /** What could not be told has one more try. */
  end(): void {
    this.#ended.abort();
  }

  async #pause(tries: number): Promise<void> {
    const { firstMs, longestMs } = this.times;
    const pauseMs = Math.min(longestMs, firstMs * 2 ** (tries - 1)) * (0.5 + Math.random());
    const { signal } = this.#ended;
    await setTimeout(pauseMs, undefined, { signal, ref: false }).catch(() => {});
  }
}
