import { type Migration, Migrator } from 'kysely/migration';
import type { Database } from './database.js';
import { records } from './migrations/0001-records.js';
import { outbox } from './migrations/0002-outbox.js';
import { auditRecords } from './migrations/0003-audit-records.js';

/** In order. A migration that has been released is never changed; there is no way back, only a next one. */
const migrations: Record<string, Migration> = {
  '0001-records': records,
  '0002-outbox': outbox,
  '0003-audit-records': auditRecords,
};

/**
 * Brings the database to the newest version; of several programs that start at once one does it and the others wait.
 *
 * @returns the names of the migrations that were run
 * @throws what the failing migration threw; it leaves nothing half done
 */
export async function migrate(db: Database): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results } = await migrator.migrateToLatest();
  if (error !== undefined) throw error as Error;
  return (results ?? []).map(({ migrationName }) => migrationName);
}
