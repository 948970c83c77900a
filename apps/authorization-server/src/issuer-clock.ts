import { noteIssuerClock } from '@behalf/adapter-oidc-provider';
import type { Clock, RecordStore } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import { randomUUID } from 'node:crypto';

const measureEveryMs = 5_000;
/** What was noted is kept alive, and need not be said again while it is the same. */
const noteEveryMs = 60_000;
const sameMs = 500;
/** Clocks that are off by more are worth a word. */
const toleratedMs = 2_000;

export interface IssuerClockPorts {
  records: RecordStore;
  clock: Clock;
  /** The time that all replicas share; there is none where there is one process only. */
  databaseTimeMs: (() => Promise<number>) | undefined;
  logger: Pick<Logger, 'warn'>;
}

/**
 * Tells the other replicas how far this one's clock differs, so that none of its tokens outlives a revocation that goes by
 * when they were issued. What changes is told within five seconds: tokens that are issued before that are not covered.
 */
export class IssuerClock {
  readonly #id = randomUUID();
  #noted: { aheadMs: number; atMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly ports: IssuerClockPorts,
    private readonly lifetimeSeconds: number,
  ) {}

  /** Resolves when it is told: nothing is issued before. @throws when the database cannot be reached */
  async start(): Promise<void> {
    if (!this.ports.databaseTimeMs) return;
    await this.measure();
    this.#timer = setInterval(() => {
      this.measure().catch((err: unknown) =>
        this.ports.logger.warn({ err }, 'the clock was not compared with that of the database'),
      );
    }, measureEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async measure(): Promise<void> {
    const { records, clock, databaseTimeMs, logger } = this.ports;
    if (!databaseTimeMs) return;
    const askedAtMs = clock.nowMs();
    const thereMs = await databaseTimeMs();
    const nowMs = clock.nowMs();
    // The database looked at its clock somewhere in between: by no more than this is known that they differ.
    const aheadMs = Math.round(Math.max(askedAtMs - thereMs, 0) + Math.min(nowMs - thereMs, 0));
    const before = this.#noted;
    const isSame = before !== undefined && Math.abs(aheadMs - before.aheadMs) < sameMs;
    if (isSame && Math.abs(nowMs - before.atMs) < noteEveryMs) return;
    await noteIssuerClock(records, this.#id, aheadMs, { nowMs, lifetimeSeconds: this.lifetimeSeconds });
    this.#noted = { aheadMs, atMs: nowMs };
    if (!isSame && Math.abs(aheadMs) >= toleratedMs)
      logger.warn({ ahead_ms: aheadMs }, 'the clock of this machine is not that of the database');
  }
}
