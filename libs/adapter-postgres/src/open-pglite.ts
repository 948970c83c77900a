import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect } from 'kysely';
import type { Database, Tables } from './database.js';
import { lockFolder } from './lock-folder.js';

export interface OpenedDatabase {
  db: Database;
  /** Waits for what is running, writes everything down and gives the folder free. */
  close(): Promise<void>;
}

/**
 * Opens the embedded PostgreSQL in a folder of its own, which is created when there is none, or in memory with
 * `memory://`. One program at a time: two on one folder would destroy it. Does not migrate.
 *
 * @throws FolderInUse when a living program has the folder open
 */
export async function openPglite(folder: string): Promise<OpenedDatabase> {
  if (folder === 'memory://') return open(folder, async () => {});
  await mkdir(dirname(folder), { recursive: true });
  const unlock = await lockFolder(folder);
  try {
    return await open(folder, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

async function open(dataDir: string, unlock: () => Promise<void>): Promise<OpenedDatabase> {
  const pglite = await PGlite.create({ dataDir });
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
  const close = async (): Promise<void> => {
    await db.destroy();
    if (!pglite.closed) await pglite.close();
    await unlock();
  };
  return { db, close };
}
