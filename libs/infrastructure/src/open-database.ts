import { type Database, migrate, openPglite, openPostgres } from '@behalf/adapter-postgres';
import type { BehalfConfig } from '@behalf/config';
import type { Logger } from '@behalf/service-kit';
import { join } from 'node:path';
import type { ServerAddresses } from './server-addresses.js';

export interface MigratedDatabase {
  db: Database;
  /** Nothing was ever kept in it before. */
  isNew: boolean;
  /** Connections; none of an embedded database. */
  pool?: () => { total: number; idle: number; waiting: number };
  /** Rejects while it cannot be reached; none of an embedded database. */
  ping?: () => Promise<void>;
  /** Its clock; none of an embedded database, which has ours. */
  timeMs?: () => Promise<number>;
  close(): Promise<void>;
}

const firstVersion = '0001-records';

/** The database that the environment names, else the one in the data folder, brought to the newest version. */
export async function openDatabase(
  name: string,
  addresses: ServerAddresses,
  config: BehalfConfig,
  logger: Logger,
): Promise<MigratedDatabase> {
  const { DATABASE_URL: url, DATABASE_MAX_CONNECTIONS: maxConnections } = addresses;
  if (url === undefined) {
    const embedded = await openPglite(join(config.dataFolder, 'database'));
    const isNew = await migrateOrClose(embedded.db, embedded);
    return { ...embedded, isNew };
  }
  const server = openPostgres(url, {
    name,
    maxConnections,
    onConnectionLost: (err) => logger.warn({ err }, 'a connection to the database was lost'),
  });
  const migrating = server.openForMigration();
  try {
    return { ...server, isNew: await migrateOrClose(migrating, server) };
  } finally {
    await migrating.destroy();
  }
}

async function migrateOrClose(db: Database, opened: { close(): Promise<void> }): Promise<boolean> {
  try {
    return (await migrate(db)).includes(firstVersion);
  } catch (error) {
    await opened.close();
    throw error;
  }
}
