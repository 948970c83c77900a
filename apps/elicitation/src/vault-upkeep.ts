import type { Logger } from '@behalf/service-kit';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { setTimeout } from 'node:timers/promises';

/** Between two batches, so that people are served first. */
const pauseMs = 200;
const pauseAfterFaultMs = 60_000;
/** How often is looked for what a provider has yet to be told. */
const lookMs = 30_000;

export interface VaultWork {
  /** One batch of moving data keys to the current key-encryption key; false when nothing is left. */
  rewrap: () => Promise<boolean>;
  /** Tells providers what they could not be told when it happened. */
  retryRevocations: () => Promise<void>;
}

/** What the vault does by itself: at a start under another key all is moved to it; what failed at providers is tried again. */
export class VaultUpkeep implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #stopped = new AbortController();
  #running: Promise<unknown> | undefined;

  constructor(
    private readonly work: VaultWork | undefined,
    private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    if (this.work) this.#running = Promise.all([this.#rewrap(this.work), this.#retry(this.work)]);
  }

  async onModuleDestroy(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #rewrap({ rewrap }: VaultWork): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      let restMs = pauseMs;
      try {
        if (!(await rewrap())) return;
      } catch (err) {
        this.logger.warn({ err }, 'data keys of the vault wait to be moved to the new key');
        restMs = pauseAfterFaultMs;
      }
      await this.#rest(restMs);
    }
  }

  async #retry({ retryRevocations }: VaultWork): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      // Replicas look at different times, so that seldom two want the same.
      await this.#rest(lookMs * (0.5 + Math.random()));
      if (this.#stopped.signal.aborted) return;
      await retryRevocations().catch((err: unknown) =>
        this.logger.warn({ err }, 'providers could not be told what they have yet to be told'),
      );
    }
  }

  /** Cut short by the end of the service, which the loops see. */
  async #rest(ms: number): Promise<void> {
    await setTimeout(ms, undefined, { signal: this.#stopped.signal, ref: false }).catch(() => {});
  }
}
