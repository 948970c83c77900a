import type { EventEnvelope, EventLog } from '@behalf/ports';
import type { MemoryRecordStore } from './memory-record-store.js';

/** What a store in memory has committed, by place. */
export class MemoryEventLog implements EventLog {
  constructor(private readonly records: Pick<MemoryRecordStore, 'outbox'>) {}

  async after(sequence: number, limit: number): Promise<EventEnvelope<unknown>[]> {
    return this.records.outbox.slice(sequence, sequence + limit);
  }

  async head(): Promise<number> {
    return this.records.outbox.length;
  }
}
