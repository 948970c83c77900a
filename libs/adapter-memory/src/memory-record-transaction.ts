import {
  type Clock,
  type EventContract,
  type ListOptions,
  type NewRecord,
  RecordConflict,
  type RecordKind,
  type RecordTransaction,
  type StoredRecord,
  type WriteOptions,
} from '@behalf/ports';

export interface MemoryRow {
  readonly id: string;
  readonly json: string;
  readonly keys: Record<string, string>;
  readonly version: number;
  readonly expiresAtMs: number | undefined;
}

/** One transaction's own copy of the rows; the store takes it over when the work is done. */
export class MemoryRecordTransaction implements RecordTransaction {
  open = true;
  readonly emitted: { contract: EventContract<unknown>; data: unknown }[] = [];

  constructor(
    readonly rows: Map<string, MemoryRow>,
    private readonly clock: Clock,
  ) {}

  async get<T>(kind: RecordKind<T>, id: string): Promise<StoredRecord<T> | undefined> {
    return readRow(this.rows, kind, id, this.clock.nowMs());
  }

  async list<T>(kind: RecordKind<T>, options: ListOptions = {}): Promise<StoredRecord<T>[]> {
    return rowsOf(this.rows, kind, options, this.clock.nowMs());
  }

  async put<T>(kind: RecordKind<T>, id: string, value: T, options: WriteOptions = {}): Promise<number> {
    this.#checkOpen();
    const parsed = kind.schema.parse(value);
    const current = readRow(this.rows, kind, id, this.clock.nowMs())?.version ?? 0;
    if (options.expectedVersion !== undefined && options.expectedVersion !== current) {
      throw new RecordConflict(kind.name, id);
    }
    const json = JSON.stringify(parsed);
    const keys = kind.keys?.(parsed) ?? {};
    this.rows.set(at(kind, id), { id, json, keys, version: current + 1, expiresAtMs: options.expiresAtMs });
    return current + 1;
  }

  async putAll<T>(kind: RecordKind<T>, records: readonly NewRecord<T>[]): Promise<void> {
    for (const { id, value, expiresAtMs } of records) await this.put(kind, id, value, { expiresAtMs });
  }

  async delete<T>(kind: RecordKind<T>, id: string): Promise<boolean> {
    this.#checkOpen();
    const row = this.rows.get(at(kind, id));
    this.rows.delete(at(kind, id));
    return row !== undefined && isLive(row, this.clock.nowMs());
  }

  async emit<T>(contract: EventContract<T>, data: T): Promise<void> {
    this.#checkOpen();
    this.emitted.push({ contract, data: JSON.parse(JSON.stringify(contract.data.parse(data))) });
  }

  #checkOpen(): void {
    if (!this.open) throw new Error('the record transaction has ended');
  }
}

export function readRow<T>(
  rows: Map<string, MemoryRow>,
  kind: RecordKind<T>,
  id: string,
  nowMs: number,
): StoredRecord<T> | undefined {
  const row = rows.get(at(kind, id));
  return row && isLive(row, nowMs) ? toRecord(kind, row) : undefined;
}

export function rowsOf<T>(
  rows: Map<string, MemoryRow>,
  kind: RecordKind<T>,
  options: ListOptions,
  nowMs: number,
): StoredRecord<T>[] {
  const { ids, where = {}, afterId, limit = 100 } = options;
  return [...rows]
    .filter(([key, row]) => key.startsWith(at(kind, '')) && isLive(row, nowMs))
    .map(([, row]) => row)
    .filter((row) => Object.entries(where).every(([key, value]) => row.keys[key] === value))
    .filter((row) => ids === undefined || ids.includes(row.id))
    .filter((row) => afterId === undefined || byCodePoint(row.id, afterId) > 0)
    .sort((one, other) => byCodePoint(one.id, other.id))
    .slice(0, limit)
    .map((row) => toRecord(kind, row));
}

function toRecord<T>(kind: RecordKind<T>, row: MemoryRow): StoredRecord<T> {
  const { id, version, expiresAtMs } = row;
  return { id, value: kind.schema.parse(JSON.parse(row.json)), version, expiresAtMs };
}

function isLive(row: MemoryRow, nowMs: number): boolean {
  return row.expiresAtMs === undefined || row.expiresAtMs > nowMs;
}

/** UTF-8 sorts by code point; JavaScript's own comparison sorts by UTF-16 unit. */
function byCodePoint(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function at(kind: { name: string }, id: string): string {
  return `${kind.name}\0${id}`;
}
