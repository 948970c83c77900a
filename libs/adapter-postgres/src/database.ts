import type { ColumnType, Generated, Kysely } from 'kysely';

/** The tables as code sees them; `migrations/` has their definition. Times are milliseconds since the epoch. */
export interface Tables {
  records: RecordsTable;
  outbox: OutboxTable;
  outbox_head: OutboxHeadTable;
  audit_batches: AuditBatchesTable;
  audit_tiles: AuditTilesTable;
  audit_waiting: AuditWaitingTable;
}

export type Database = Kysely<Tables>;

/** A bigint is answered as text: it may be past what a number holds. */
type Bigint = ColumnType<number | string, number, number>;
/** Written as JSON text, read parsed. */
type Jsonb = ColumnType<unknown, string, string>;

export interface RecordsTable {
  kind: string;
  id: string;
  value: Jsonb;
  keys: Jsonb;
  version: number;
  expires_at_ms: ColumnType<number | string | null, number | null, number | null>;
}

export interface OutboxTable {
  /** The order of writing; has gaps where transactions were rolled back. */
  position: Generated<number | string>;
  event_id: string;
  type: string;
  data: Jsonb;
  occurred_at_ms: Bigint;
  /** The order of publishing, without gaps; given by the relay. */
  sequence: ColumnType<number | string | null, number | null | undefined, number | null>;
  published_at_ms: ColumnType<number | string | null, number | null | undefined, number | null>;
}

export interface OutboxHeadTable {
  /** There is one row. */
  singleton: boolean;
  last_sequence: Bigint;
}

/** The leaves of one commit. */
export interface AuditBatchesTable {
  first_index: Bigint;
  /** Records in canonical JSON, a line each: what was hashed, to the byte. */
  leaves: string;
}

/** The roots of full tiles, in base64. */
export interface AuditTilesTable {
  tile_index: Bigint;
  root: string;
}

/** Committed with a change, and not in the log yet. */
export interface AuditWaitingTable {
  position: Generated<number | string>;
  leaf: string;
}
