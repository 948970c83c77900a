import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Append-only, and the database says so too: a mistake in the program cannot rewrite what was recorded. */
export const auditRecords: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`
      create table audit_records (
        position bigserial primary key,
        type text not null,
        outcome text not null,
        occurred_at_ms bigint not null,
        record jsonb not null
      )`.execute(db);
    await sql`
      create function refuse_audit_change() returns trigger language plpgsql as $$
      begin
        raise exception 'audit records are append-only';
      end $$`.execute(db);
    await sql`
      create trigger audit_records_append_only before update or delete or truncate on audit_records
      for each statement execute function refuse_audit_change()`.execute(db);
  },
};
