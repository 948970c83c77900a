import type { EventEnvelope, EventLog } from '@behalf/ports';
import type { Database } from './database.js';

/**
 * The outbox, read by place. Events get their numbers one after the other under a lock: what has a number, and all
 * before it, is committed.
 */
export class SqlEventLog implements EventLog {
  constructor(private readonly db: Database) {}

  async after(sequence: number, limit: number): Promise<EventEnvelope<unknown>[]> {
    const rows = await this.db
      .selectFrom('outbox')
      .selectAll()
      .where('sequence', '>', sequence)
      .orderBy('sequence')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      id: row.event_id,
      type: row.type,
      sequence: Number(row.sequence),
      occurredAtMs: Number(row.occurred_at_ms),
      data: row.data,
    }));
  }

  async head(): Promise<number> {
    const head = await this.db.selectFrom('outbox_head').select('last_sequence').executeTakeFirst();
    return Number(head?.last_sequence ?? 0);
  }
}
