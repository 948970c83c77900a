import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Ids sort by code point ("C"), as the port promises, whatever the locale of the database. */
export const records: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`
      create table records (
        kind text collate "C" not null,
        id text collate "C" not null,
        value jsonb not null,
        keys jsonb not null default '{}',
        version integer not null check (version > 0),
        expires_at_ms bigint,
        primary key (kind, id)
      )`.execute(db);
    await sql`create index records_by_key on records using gin (keys jsonb_path_ops)`.execute(db);
    await sql`
      create index records_by_expiry on records (expires_at_ms) where expires_at_ms is not null`.execute(db);
  },
};
