import { checkDeadline } from '@behalf/ports';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { Pool } from 'pg';
import type { Database, Tables } from './database.js';
import type { OpenedDatabase } from './open-pglite.js';
import { isTimeout, PostgresClient, toUnavailable } from './postgres-client.js';

export interface PostgresOptions {
  /** Shown by `pg_stat_activity`. */
  name: string;
  /** Connections of this process. More work waits for one to come free, no longer than the connection timeout. */
  maxConnections?: number;
  connectionTimeoutMs?: number;
  statementTimeoutMs?: number;
  /** A connection broke while nobody used it; the next use opens another one. */
  onConnectionLost?: (error: Error) => void;
}

export interface OpenedPostgres extends OpenedDatabase {
  /** For migrations, which may take longer than any statement of a service. Close it after them. */
  openForMigration(): Database;
  /**
   * Rejects when there is no answer in time. Has a connection of its own: work that waits for one says nothing about the
   * server.
   */
  ping(): Promise<void>;
  /** The server's clock, in milliseconds since the epoch. */
  timeMs(): Promise<number>;
  /** Connections open, those of them that nobody uses, and callers that wait for one. */
  pool(): { total: number; idle: number; waiting: number };
}

/** Longer than the server needs to give up a statement by itself, so that its answer is heard. */
const answerMarginMs = 1_000;
const idleInTransactionTimeoutMs = 10_000;
const pingTimeoutMs = 1_000;
const migrationTimeoutMs = 10 * 60_000;
/** A program that starts has nobody waiting for it, and whoever starts many at once keeps the server busy. */
const migrationConnectionTimeoutMs = 30_000;

/**
 * A pool of connections to a PostgreSQL server. Nothing waits for ever: for a connection, for a statement, nor for a
 * server that does not answer at all. Opens no connection before the first use, and does not migrate.
 */
export function openPostgres(url: string, options: PostgresOptions): OpenedPostgres {
  const {
    name,
    maxConnections = 10,
    connectionTimeoutMs = 5_000,
    statementTimeoutMs = 5_000,
    onConnectionLost = () => {},
  } = options;
  const open = (max: number, connectMs: number, timeoutMs: number, marginMs = answerMarginMs): Pool => {
    const pool = new Pool({
      Client: PostgresClient,
      connectionString: url,
      application_name: name,
      max,
      connectionTimeoutMillis: connectMs,
      statement_timeout: timeoutMs,
      // The server may be stopped, or the network gone: then nobody but us ends the waiting.
      query_timeout: timeoutMs + marginMs,
      idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
      keepAlive: true,
    });
    // Of a connection that nobody uses, and of one in use: its query fails too, but an event that nobody listens to
    // would end the process.
    pool.on('error', onConnectionLost);
    pool.on('connect', (client) => client.on('error', onConnectionLost));
    return pool;
  };
  const dialectOf = (bounded: Pool): PostgresDialect =>
    new PostgresDialect({
      pool: {
        options: bounded.options,
        // Asked for by every statement outside of a transaction, and by every transaction.
        connect: async () => {
          checkDeadline();
          return (
            bounded
              .connect()
              // Once more after a timeout: a process that was busy for long looks at the clock before it looks at answers.
              .catch((error: unknown) => (isTimeout(error) ? bounded.connect() : Promise.reject(error)))
              .catch((error: unknown) => {
                throw toUnavailable(error);
              })
          );
        },
        end: () => bounded.end(),
      },
    });
  const pool = open(maxConnections, connectionTimeoutMs, statementTimeoutMs);
  const db = new Kysely<Tables>({ dialect: dialectOf(pool) });
  const pinging = open(1, pingTimeoutMs, pingTimeoutMs, 0);
  return {
    db,
    openForMigration: () =>
      new Kysely<Tables>({ dialect: dialectOf(open(2, migrationConnectionTimeoutMs, migrationTimeoutMs)) }),
    pool: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    ping: async () => void (await pinging.query('select 1')),
    timeMs: async () => {
      const time = sql<{ ms: number }>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
      return (await time.execute(db)).rows[0]?.ms ?? NaN;
    },
    close: async () => {
      await Promise.all([db.destroy(), pinging.end()]);
    },
  };
}
