import { randomUUID } from 'node:crypto';
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
import { type Selectable, type Transaction, sql } from 'kysely';
import type { Database, RecordsTable, Tables } from './database.js';

/** One open transaction. Values pass their schema on the way in and on the way out. */
export class SqlRecordTransaction implements RecordTransaction {
  emitted = false;

  constructor(
    private readonly transaction: Transaction<Tables>,
    private readonly clock: Clock,
  ) {}

  get<T>(kind: RecordKind<T>, id: string): Promise<StoredRecord<T> | undefined> {
    return getRecord(this.transaction, kind, id, this.clock.nowMs());
  }

  list<T>(kind: RecordKind<T>, options: ListOptions = {}): Promise<StoredRecord<T>[]> {
    return listRecords(this.transaction, kind, options, this.clock.nowMs());
  }

  async put<T>(kind: RecordKind<T>, id: string, value: T, options: WriteOptions = {}): Promise<number> {
    const parsed = kind.schema.parse(value);
    const current = liveVersion(this.clock.nowMs());
    const { expectedVersion } = options;
    const row = {
      value: JSON.stringify(parsed),
      keys: JSON.stringify(kind.keys?.(parsed) ?? {}),
      expires_at_ms: options.expiresAtMs ?? null,
    };
    const written =
      expectedVersion === undefined || expectedVersion === 0
        ? await this.transaction
            .insertInto('records')
            .values({ kind: kind.name, id, version: 1, ...row })
            .onConflict((conflict) => {
              const update = conflict
                .columns(['kind', 'id'])
                .doUpdateSet({ ...row, version: sql<number>`${current} + 1` });
              return expectedVersion === undefined ? update : update.where(current, '=', 0);
            })
            .returning('version')
            .executeTakeFirst()
        : await this.transaction
            .updateTable('records')
            .set({ ...row, version: expectedVersion + 1 })
            .where('kind', '=', kind.name)
            .where('id', '=', id)
            .where(current, '=', expectedVersion)
            .returning('version')
            .executeTakeFirst();
    if (!written) throw new RecordConflict(kind.name, id);
    return written.version;
  }

  /** One statement, however many there are: the database parses and plans it once. */
  async putAll<T>(kind: RecordKind<T>, records: readonly NewRecord<T>[]): Promise<void> {
    const rows = records.map(({ id, value, expiresAtMs = null }) => {
      const parsed = kind.schema.parse(value);
      return { id, value: parsed, keys: kind.keys?.(parsed) ?? {}, expires_at_ms: expiresAtMs };
    });
    await sql`
      insert into records (kind, id, value, keys, version, expires_at_ms)
      select ${kind.name}, id, value, keys, 1, expires_at_ms
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as given(id text, value jsonb, keys jsonb, expires_at_ms bigint)
      on conflict (kind, id) do update set
        value = excluded.value, keys = excluded.keys, expires_at_ms = excluded.expires_at_ms,
        version = ${liveVersion(this.clock.nowMs())} + 1`.execute(this.transaction);
  }

  async delete<T>(kind: RecordKind<T>, id: string): Promise<boolean> {
    if (!isStorable(id)) return false;
    const deleted = await this.transaction
      .deleteFrom('records')
      .where('kind', '=', kind.name)
      .where('id', '=', id)
      .returning(sql<boolean>`coalesce(expires_at_ms > ${this.clock.nowMs()}, true)`.as('live'))
      .executeTakeFirst();
    return deleted?.live ?? false;
  }

  async emit<T>(contract: EventContract<T>, data: T): Promise<void> {
    await this.transaction
      .insertInto('outbox')
      .values({
        event_id: randomUUID(),
        type: contract.type,
        data: JSON.stringify(contract.data.parse(data)),
        occurred_at_ms: this.clock.nowMs(),
      })
      .execute();
    this.emitted = true;
  }
}

export async function getRecord<T>(
  db: Database,
  kind: RecordKind<T>,
  id: string,
  nowMs: number,
): Promise<StoredRecord<T> | undefined> {
  if (!isStorable(id)) return undefined;
  const row = await liveRows(db, kind, nowMs).where('id', '=', id).executeTakeFirst();
  return row && toRecord(kind, row);
}

export async function listRecords<T>(
  db: Database,
  kind: RecordKind<T>,
  options: ListOptions,
  nowMs: number,
): Promise<StoredRecord<T>[]> {
  const { ids, where, afterId, limit = 100 } = options;
  if (where && !Object.values(where).every(isStorable)) return [];
  if (ids && !ids.some(isStorable)) return [];
  let rows = liveRows(db, kind, nowMs).orderBy('id').limit(limit);
  if (ids) rows = rows.where('id', 'in', ids.filter(isStorable));
  if (where) rows = rows.where(sql<boolean>`keys @> ${JSON.stringify(where)}::jsonb`);
  if (afterId !== undefined) rows = rows.where('id', '>', afterId);
  return (await rows.execute()).map((row) => toRecord(kind, row));
}

/** A row past its time counts as absent: a writer of version 0 takes its place, and its count starts anew. */
function liveVersion(nowMs: number) {
  return sql<number>`case when records.expires_at_ms <= ${nowMs}::bigint then 0 else records.version end`;
}

/** PostgreSQL's text holds neither a NUL nor a lone surrogate; a stranger who looks for one must find nothing, not an error. */
function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

function liveRows(db: Database, kind: { name: string }, nowMs: number) {
  return db
    .selectFrom('records')
    .selectAll()
    .where('kind', '=', kind.name)
    .where((row) => row.or([row('expires_at_ms', 'is', null), row('expires_at_ms', '>', nowMs)]));
}

function toRecord<T>(kind: RecordKind<T>, row: Selectable<RecordsTable>): StoredRecord<T> {
  return {
    id: row.id,
    value: kind.schema.parse(row.value),
    version: row.version,
    expiresAtMs: row.expires_at_ms === null ? undefined : Number(row.expires_at_ms),
  };
}
