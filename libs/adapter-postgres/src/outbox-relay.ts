import { type Bus, type Clock, outsideDeadline } from '@behalf/ports';
import { sql } from 'kysely';
import { z } from 'zod';
import type { Database } from './database.js';

const batchSize = 100;
/** Longer than publishing takes, and not too long for whoever makes a change while the bus is down. */
const patienceMs = 1_000;

export interface OutboxRelayOptions {
  /** How often to look without having been woken: after a failed publish, or for events another process wrote. */
  sweepIntervalMs: number;
  /** Told when publishing failed; the events stay and are tried again. */
  onError?: (error: unknown) => void;
}

/**
 * Carries events from the outbox to the bus after their transaction has committed: each at least once, in one order,
 * numbered without gaps. A listener may see an event twice, under the same id and sequence.
 */
export class OutboxRelay {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly db: Database,
    private readonly bus: Bus,
    private readonly clock: Clock,
    private readonly options: OutboxRelayOptions,
  ) {}

  start(): void {
    this.#timer ??= setInterval(() => this.wake(), this.options.sweepIntervalMs).unref();
    this.wake();
  }

  /** Says that there may be something to publish. Returns at once. */
  wake(): void {
    this.publishPending().catch((error: unknown) => this.options.onError?.(error));
  }

  /**
   * Resolves when everything committed before the call has been published, or after a moment when that fails or takes
   * long: the events stay and are tried again. For whoever answers that a change is made only once its news is out.
   */
  async publishSoon(): Promise<void> {
    const { promise: tired, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, patienceMs);
    const published = this.publishPending().catch((error: unknown) => this.options.onError?.(error));
    await Promise.race([published, tired]).finally(() => clearTimeout(timer));
  }

  /** Resolves when everything committed before the call has been published. @throws what the bus or database threw */
  async publishPending(): Promise<void> {
    this.#again = true;
    // It carries what others have written, too.
    this.#running ??= outsideDeadline(() => this.#run()).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Publishes what is waiting, then stops. To be called before the bus is closed. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.publishPending().catch((error: unknown) => this.options.onError?.(error));
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      if ((await this.#publishBatch()) === batchSize) this.#again = true;
    }
  }

  async #publishBatch(): Promise<number> {
    await this.#number();
    const rows = await this.db
      .selectFrom('outbox')
      .selectAll()
      .where('published_at_ms', 'is', null)
      .where('sequence', 'is not', null)
      .orderBy('sequence')
      .limit(batchSize)
      .execute();
    const published: string[] = [];
    try {
      for (const row of rows) {
        // The event was checked against its contract when it was written, and listeners check it again.
        await this.bus.publish(
          { type: row.type, data: z.unknown() },
          {
            id: row.event_id,
            type: row.type,
            sequence: Number(row.sequence),
            occurredAtMs: Number(row.occurred_at_ms),
            data: row.data,
          },
        );
        published.push(row.event_id);
      }
    } finally {
      await this.#markPublished(published);
    }
    return rows.length;
  }

  /** The head's row lock makes relays of several processes count one after the other. */
  async #number(): Promise<void> {
    const waiting = await this.db
      .selectFrom('outbox')
      .select('position')
      .where('published_at_ms', 'is', null)
      .where('sequence', 'is', null)
      .limit(1)
      .executeTakeFirst();
    if (!waiting) return;
    await this.db.transaction().execute(async (transaction) => {
      await sql`select last_sequence from outbox_head for update`.execute(transaction);
      await sql`
        with next as (
          select position, row_number() over (order by position) as nth from outbox
          where published_at_ms is null and sequence is null order by position limit ${batchSize}
        ), numbered as (
          update outbox set sequence = outbox_head.last_sequence + next.nth
          from next, outbox_head where outbox.position = next.position returning outbox.sequence
        )
        update outbox_head set last_sequence = (select max(sequence) from numbered)
        where exists (select from numbered)`.execute(transaction);
    });
  }

  async #markPublished(eventIds: string[]): Promise<void> {
    if (eventIds.length === 0) return;
    await this.db
      .updateTable('outbox')
      .set({ published_at_ms: this.clock.nowMs() })
      .where('event_id', 'in', eventIds)
      .execute();
  }
}
