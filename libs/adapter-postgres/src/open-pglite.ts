import { mkdir } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { checkDeadline } from '@behalf/ports';
import { type DialectAdapter, Kysely, PGliteAdapter, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Database, Tables } from './database.js';
import { lockFolder } from './lock-folder.js';
import { withPreparedStatements } from './prepared-statements.js';
import { ThreadStream } from './thread-stream.js';

export interface OpenedDatabase {
  db: Database;
  /** Waits for what is running, writes everything down and gives the folder free. */
  close(): Promise<void>;
}

/** There is one connection, so kysely has to let one statement or transaction at it after the other. */
class SingleConnectionDialect extends PostgresDialect {
  override createAdapter(): DialectAdapter {
    return new PGliteAdapter();
  }
}

/**
 * Opens the embedded PostgreSQL in a folder of its own, which is created when there is none, or in memory with
 * `memory://`. It runs in a thread of its own. One program at a time: two on one folder would destroy it. Does not
 * migrate.
 *
 * What is committed survives the end of this program, however it ends. It may not survive the end of the machine:
 * PGlite leaves it to the operating system when to write to the disk.
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
  // The same extension as this file: tests run from the sources.
  const entry = new URL(`./pglite-thread${extname(import.meta.url)}`, import.meta.url);
  const thread = new Worker(entry, { workerData: { dataDir } });
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const client = new pg.Client({
    user: 'postgres',
    database: 'postgres',
    stream: () => new ThreadStream(thread),
  });
  // Whoever waits for an answer is told; what comes later finds the connection closed.
  client.on('error', () => {});
  const connection = withPreparedStatements(client, () => {});
  const end = async (): Promise<void> => {
    await client.end();
    await ended;
  };
  await client.connect();
  const connect = async (): Promise<typeof connection> => {
    checkDeadline();
    return connection;
  };
  const pool = { connect, end, options: {} };
  const db = new Kysely<Tables>({ dialect: new SingleConnectionDialect({ pool }) });
  const close = async (): Promise<void> => {
    await db.destroy();
    await end();
    await unlock();
  };
  return { db, close };
}
