import { type Decided, decisionBatches, sealDecisions } from '@behalf/policy-life';
import type { RecordStore } from '@behalf/ports';
import type { KeyEncryptionKey } from '@behalf/sealing';
import type { Logger } from '@behalf/service-kit';
import type { OnApplicationShutdown } from '@nestjs/common';

const batchSize = 200;
const flushAfterMs = 200;
const dayMs = 24 * 3600 * 1000;

export interface DecisionRecorderOptions {
  records: RecordStore;
  keyEncryptionKey: KeyEncryptionKey;
  logger: Logger;
  enabled: boolean;
  retentionDays: number;
  maxWaiting: number;
}

/**
 * Keeps decisions for replay, written in batches after the answer: a batch is one record, sealed under one key, because
 * a row and a key for each cost as much as deciding. Denials are written first, and under pressure
 * permissions are left out before any denial is. What must not be lost is in the audit log, which is written before.
 */
export class DecisionRecorder implements OnApplicationShutdown {
  readonly #denials: Decided[] = [];
  readonly #permissions: Decided[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly options: DecisionRecorderOptions) {}

  /** How many decisions were left out since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  add(decided: Decided): void {
    if (!this.options.enabled) return;
    (decided.answer.decision ? this.#permissions : this.#denials).push(decided);
    if (this.#denials.length + this.#permissions.length > this.options.maxWaiting) {
      this.#dropped++;
      if (this.#permissions.pop() === undefined) this.#denials.pop();
    }
    this.#timer ??= setTimeout(() => void this.flush(), flushAfterMs);
  }

  /**
   * Writes what is waiting. Resolves when it is written, or has been given up and logged. What comes meanwhile waits for
   * its own turn: or there would always be a few more, and each few would cost as much as many.
   */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      const waiting = this.#denials.length + this.#permissions.length;
      for (let written = 0; written < waiting; written += batchSize) await this.#writeBatch();
    });
    return this.#writing;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.flush();
  }

  async #writeBatch(): Promise<void> {
    const { records, keyEncryptionKey, logger, retentionDays } = this.options;
    const batch = this.#denials.splice(0, batchSize);
    batch.push(...this.#permissions.splice(0, batchSize - batch.length));
    try {
      const sealed = await sealDecisions(batch, keyEncryptionKey, retentionDays * dayMs);
      await records.transaction((transaction) => transaction.putAll(decisionBatches, sealed));
    } catch (err) {
      this.#dropped += batch.length;
      logger.error({ err: (err as Error).name, count: batch.length }, 'decisions could not be kept');
    }
  }
}
