import { type Migration, Migrator } from 'kysely/migration';
import type { Database } from './database.js';
import { records } from './migrations/0001-records.js';
import { outbox } from './migrations/0002-outbox.js';
import { auditRecords } from './migrations/0003-audit-records.js';
import { auditLog } from './migrations/0004-audit-log.js';
import { auditBatches } from './migrations/0005-audit-batches.js';
import { plainValues } from './migrations/0006-plain-values.js';

/** In order. A migration that has been released is never changed; there is no way back, only a next one. */
const migrations: Record<string, Migration> = {
  '0001-records': records,
  '0002-outbox': outbox,
  '0003-audit-records': auditRecords,
  '0004-audit-log': auditLog,
  '0005-audit-batches': auditBatches,
  '0006-plain-values': plainValues,
};

/** Every version of the database that there has been. */
export const versions: readonly string[] = Object.keys(migrations);

/**
 * Brings the database to the newest version; of several programs that start at once one does it and the others wait.
 *
 * @param upTo another version than the newest, for tests
 * @returns the names of the migrations that were run
 * @throws what the failing migration threw; it leaves nothing half done. Error when the database is newer than this
 *   program
 */
export async function migrate(db: Database, upTo: string = versions.at(-1) ?? ''): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error, results } = await migrator.migrateTo(upTo);
  if (error !== undefined) throw error as Error;
  return (results ?? []).map(({ migrationName }) => migrationName);
}
