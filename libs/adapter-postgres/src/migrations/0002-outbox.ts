import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * `position` comes from a sequence, which skips numbers on a rollback. Listeners take a gap for a missed event, so
 * what they see is `sequence`, counted in `outbox_head` when an event is about to be published.
 */
export const outbox: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`
      create table outbox (
        position bigserial primary key,
        event_id uuid not null unique,
        type text not null,
        data jsonb not null,
        occurred_at_ms bigint not null,
        sequence bigint unique,
        published_at_ms bigint
      )`.execute(db);
    await sql`create index outbox_unpublished on outbox (position) where published_at_ms is null`.execute(db);
    await sql`create table outbox_head (singleton boolean primary key check (singleton), last_sequence bigint not null)`.execute(
      db,
    );
    await sql`insert into outbox_head values (true, 0)`.execute(db);
  },
};
