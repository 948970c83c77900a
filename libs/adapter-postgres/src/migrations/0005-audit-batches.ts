import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** So many leaves of earlier versions in one row. */
const leavesPerRow = 256;

/**
 * The leaves of one commit become one row: their canonical JSON, a line each (which holds no line break), under the index
 * of the first. A row and an index entry for each leaf were most of what a commit cost.
 *
 * They are neither compressed nor, up to the size of a page, kept apart from their row: both cost more than they spare.
 */
export const auditBatches: Migration = {
  async up(db: Kysely<unknown>) {
    // A program of the version before may be writing. It waits here, and then finds no table: what it was told to
    // record it refuses, and none of it is lost.
    await sql`lock table audit_head, audit_leaves in access exclusive mode`.execute(db);
    await sql`
      create table audit_batches (first_index bigint primary key, leaves text not null)
      with (toast_tuple_target = 8160)`.execute(db);
    await sql`alter table audit_batches alter column leaves set storage external`.execute(db);
    await sql`
      insert into audit_batches (first_index, leaves)
      select min(leaf_index), string_agg(leaf, E'\n' order by leaf_index)
      from audit_leaves group by leaf_index / ${leavesPerRow}::int order by 1`.execute(db);
    await sql`
      create trigger audit_batches_append_only before update or delete or truncate on audit_batches
      for each statement execute function refuse_audit_change()`.execute(db);
    await sql`drop table audit_leaves`.execute(db);
  },
};
