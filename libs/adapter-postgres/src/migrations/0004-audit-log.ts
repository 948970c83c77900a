import { canonicalJson } from '@behalf/i-json';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

const pageSize = 1000;

/**
 * The audit records become the leaves of a Merkle log. A record that is written with a change waits in
 * `audit_waiting`, committed with it, for the batch that gives it its place. What there was before comes first.
 *
 * `audit_tiles` has the root of every 256 leaves, so that a proof does not read them all; `audit_head` how many leaves
 * there are and the right edge of the tree (base64, the largest subtree first).
 */
export const auditLog: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`create table audit_leaves (leaf_index bigint primary key, leaf text not null)`.execute(db);
    await sql`create table audit_tiles (tile_index bigint primary key, root text not null)`.execute(db);
    await sql`create table audit_waiting (position bigserial primary key, leaf text not null)`.execute(db);
    await sql`
      create table audit_head (
        singleton boolean primary key check (singleton),
        size bigint not null,
        edge jsonb not null
      )`.execute(db);
    await sql`insert into audit_head values (true, 0, '[]')`.execute(db);
    for (const table of ['audit_leaves', 'audit_tiles']) {
      await sql`
        create trigger ${sql.ref(`${table}_append_only`)} before update or delete or truncate on ${sql.table(table)}
        for each statement execute function refuse_audit_change()`.execute(db);
    }
    await moveRecords(db);
    await sql`drop table audit_records`.execute(db);
  },
};

async function moveRecords(db: Kysely<unknown>): Promise<void> {
  let page: { position: number | string; record: unknown }[];
  let after: number | string = 0;
  do {
    ({ rows: page } = await sql<{ position: number | string; record: unknown }>`
      select position, record from audit_records where position > ${after} order by position limit ${pageSize}
    `.execute(db));
    after = page.at(-1)?.position ?? after;
    const leaves = JSON.stringify(page.map(({ record }) => canonicalJson(record)));
    await sql`
      insert into audit_waiting (leaf)
      select leaf from jsonb_array_elements_text(${leaves}::jsonb) with ordinality as given(leaf, nth)
      order by nth`.execute(db);
  } while (page.length === pageSize);
}
