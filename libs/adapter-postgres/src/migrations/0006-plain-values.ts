import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/**
 * Large values of records are kept as they are. Most of what is large is sealed and cannot be compressed; trying to was
 * two thirds of what keeping a batch of decisions cost. Values that are there already stay as they were written.
 */
export const plainValues: Migration = {
  async up(db: Kysely<unknown>) {
    await sql`alter table records alter column value set storage external`.execute(db);
  },
};
