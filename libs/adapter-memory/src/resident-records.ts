import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  Clock,
  ListOptions,
  RecordKind,
  RecordStore,
  RecordTransaction,
  StoredRecord,
} from '@behalf/ports';

const pageSize = 500;
const sweepIntervalMs = 1_000;

export interface ResidentRecordsOptions {
  clock: Clock;
  /** Told when a change could not be read back: from then on that kind is asked of the store itself. */
  onError: (error: unknown) => void;
}

/**
 * Keeps every record of a few kinds in memory, so that looking one up by its id costs no query, whether it is there or
 * not. What was written is seen here before the transaction's caller goes on. Records that are kept are frozen: all
 * callers get the same.
 *
 * Only for a program that is the only one to write its store: it hears of no other's changes.
 */
export class ResidentRecords implements RecordStore {
  readonly #resident = new Map<string, Resident>();
  readonly #insideTransaction = new AsyncLocalStorage<true>();
  #reading: Promise<void> = Promise.resolve();
  #sweepAtMs = 0;

  private constructor(
    private readonly records: RecordStore,
    private readonly options: ResidentRecordsOptions,
  ) {}

  static async open(
    records: RecordStore,
    kinds: readonly RecordKind<unknown>[],
    options: ResidentRecordsOptions,
  ): Promise<ResidentRecords> {
    const opened = new ResidentRecords(records, options);
    for (const kind of kinds)
      opened.#resident.set(kind.name, { kind, records: await loadAll(records, kind) });
    return opened;
  }

  async get<T>(kind: RecordKind<T>, id: string): Promise<StoredRecord<T> | undefined> {
    const known = this.#known(kind);
    return known ? this.#read(known, id) : this.records.get(kind, id);
  }

  async list<T>(kind: RecordKind<T>, options: ListOptions = {}): Promise<StoredRecord<T>[]> {
    const { ids, where, afterId, limit = 100 } = options;
    const known = this.#known(kind);
    if (!known || !ids || where || afterId !== undefined) return this.records.list(kind, options);
    const found: StoredRecord<T>[] = [];
    for (const id of new Set(ids)) {
      const record = this.#read<T>(known, id);
      if (record) found.push(record);
    }
    return found.sort((one, other) => byCodePoint(one.id, other.id)).slice(0, limit);
  }

  async transaction<R>(work: (transaction: RecordTransaction) => Promise<R>): Promise<R> {
    const touched = new Touched();
    try {
      return await this.records.transaction((transaction) =>
        this.#insideTransaction.run(true, () => work(this.#watch(transaction, touched))),
      );
    } finally {
      // After a failure, too: whether a commit that got no answer was made, only the store knows.
      if (touched.ids.size > 0) await this.#readBack(touched);
    }
  }

  /** Whoever reads the same records by another schema gets them from the store, which parses them. */
  #known<T>(kind: RecordKind<T>): Resident['records'] | undefined {
    if (this.#insideTransaction.getStore()) return undefined;
    const resident = this.#resident.get(kind.name);
    return resident?.kind.schema === kind.schema ? resident?.records : undefined;
  }

  #read<T>(known: Resident['records'], id: string): StoredRecord<T> | undefined {
    const record = known.get(id);
    if (!record || (record.expiresAtMs ?? Infinity) <= this.options.clock.nowMs()) return undefined;
    return record as StoredRecord<T>;
  }

  #watch(transaction: RecordTransaction, touched: Touched): RecordTransaction {
    const note = <T>(kind: RecordKind<T>, id: string): void => {
      if (this.#resident.has(kind.name)) touched.add(kind as RecordKind<unknown>, id);
    };
    return {
      get: (kind, id) => transaction.get(kind, id),
      list: (kind, options) => transaction.list(kind, options),
      put: (kind, id, value, options) => {
        note(kind, id);
        return transaction.put(kind, id, value, options);
      },
      putAll: (kind, records) => {
        for (const { id } of records) note(kind, id);
        return transaction.putAll(kind, records);
      },
      delete: (kind, id) => {
        note(kind, id);
        return transaction.delete(kind, id);
      },
      emit: (contract, data) => transaction.emit(contract, data),
    };
  }

  /** One after the other: of two changes of one record the later one is what stays. */
  #readBack(touched: Touched): Promise<void> {
    this.#reading = this.#reading.then(async () => {
      for (const [kind, ids] of touched.ids) {
        const known = this.#resident.get(kind.name)?.records;
        if (!known) continue;
        try {
          const found = await this.records.list(kind, { ids: [...ids], limit: ids.size });
          for (const id of ids) known.delete(id);
          for (const record of found) known.set(record.id, deepFreeze(record));
        } catch (error) {
          this.#resident.delete(kind.name);
          this.options.onError(error);
        }
      }
      this.#sweep();
    });
    return this.#reading;
  }

  #sweep(): void {
    const nowMs = this.options.clock.nowMs();
    if (nowMs < this.#sweepAtMs) return;
    this.#sweepAtMs = nowMs + sweepIntervalMs;
    for (const { records: known } of this.#resident.values())
      for (const [id, { expiresAtMs = Infinity }] of known) if (expiresAtMs <= nowMs) known.delete(id);
  }
}

interface Resident {
  readonly kind: RecordKind<unknown>;
  readonly records: Map<string, StoredRecord<unknown>>;
}

class Touched {
  readonly ids = new Map<RecordKind<unknown>, Set<string>>();

  add(kind: RecordKind<unknown>, id: string): void {
    const ids = this.ids.get(kind) ?? new Set();
    this.ids.set(kind, ids.add(id));
  }
}

async function loadAll(
  records: RecordStore,
  kind: RecordKind<unknown>,
): Promise<Map<string, StoredRecord<unknown>>> {
  const all = new Map<string, StoredRecord<unknown>>();
  let page: StoredRecord<unknown>[];
  let afterId = '';
  do {
    page = await records.list(kind, { afterId, limit: pageSize });
    for (const record of page) all.set((afterId = record.id), deepFreeze(record));
  } while (page.length === pageSize);
  return all;
}

function deepFreeze<V>(value: V): V {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}

function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
