import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type {
  Clock,
  EventContract,
  EventEnvelope,
  ListOptions,
  RecordKind,
  RecordStore,
  RecordTransaction,
  StoredRecord,
} from '@behalf/ports';
import { type MemoryRow, MemoryRecordTransaction, readRow, rowsOf } from './memory-record-transaction.js';

export interface MemoryRecordStoreOptions {
  /** Called after each commit that emitted events, outside the transaction. */
  onCommit?: (events: readonly EventEnvelope<unknown>[]) => void;
}

/**
 * Records in this process, for tests: transactions run one after the other, so none ever sees another half done.
 * Values go through JSON and their schema both ways, as they do in a database.
 */
export class MemoryRecordStore implements RecordStore {
  /** Every event committed so far, the oldest first. */
  readonly outbox: EventEnvelope<unknown>[] = [];
  #rows = new Map<string, MemoryRow>();
  #last: Promise<unknown> = Promise.resolve();
  readonly #current = new AsyncLocalStorage<MemoryRecordTransaction>();

  constructor(
    private readonly clock: Clock,
    private readonly options: MemoryRecordStoreOptions = {},
  ) {}

  async get<T>(kind: RecordKind<T>, id: string): Promise<StoredRecord<T> | undefined> {
    return readRow(this.#visibleRows(), kind, id, this.clock.nowMs());
  }

  async list<T>(kind: RecordKind<T>, options: ListOptions = {}): Promise<StoredRecord<T>[]> {
    return rowsOf(this.#visibleRows(), kind, options, this.clock.nowMs());
  }

  async transaction<R>(work: (transaction: RecordTransaction) => Promise<R>): Promise<R> {
    if (this.#openTransaction()) throw new Error('a record transaction was opened inside another one');
    const run = this.#last.then(async () => {
      const transaction = new MemoryRecordTransaction(new Map(this.#rows), this.clock);
      try {
        const result = await this.#current.run(transaction, () => work(transaction));
        this.#commit(transaction);
        return result;
      } finally {
        transaction.open = false;
      }
    });
    this.#last = run.catch(() => {});
    return run;
  }

  #commit(transaction: MemoryRecordTransaction): void {
    this.#rows = transaction.rows;
    const events = transaction.emitted.map(({ contract, data }, index) =>
      this.#envelope(contract, data, this.outbox.length + index + 1),
    );
    if (events.length === 0) return;
    this.outbox.push(...events);
    this.options.onCommit?.(events);
  }

  #envelope(contract: EventContract<unknown>, data: unknown, sequence: number): EventEnvelope<unknown> {
    return { id: randomUUID(), type: contract.type, sequence, occurredAtMs: this.clock.nowMs(), data };
  }

  #visibleRows(): Map<string, MemoryRow> {
    return this.#openTransaction()?.rows ?? this.#rows;
  }

  /** A read on the store from inside a transaction belongs to it; waiting for its end would wait for ever. */
  #openTransaction(): MemoryRecordTransaction | undefined {
    const transaction = this.#current.getStore();
    return transaction?.open ? transaction : undefined;
  }
}
