import type { Logger } from '@behalf/service-kit';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { setTimeout } from 'node:timers/promises';

/** Between two batches, so that people are served first. */
const pauseMs = 200;
const pauseAfterFaultMs = 60_000;

/** After a start under another key-encryption key, moves every data key to it; a run that was cut short goes on. */
export class VaultUpkeep implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;

  constructor(
    /** Does one batch; false when there is nothing left to do. */
    private readonly doSome: () => Promise<boolean>,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.#running = this.#run();
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      let restMs = pauseMs;
      try {
        if (!(await this.doSome())) return;
      } catch (err) {
        this.logger.warn({ err }, 'data keys of the vault wait to be moved to the new key');
        restMs = pauseAfterFaultMs;
      }
      // Cut short by the end of the service, which the loop sees.
      await setTimeout(restMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
