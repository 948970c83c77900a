import {
  type Clock,
  type ListOptions,
  RecordConflict,
  type RecordKind,
  type RecordStore,
  type RecordTransaction,
  type StoredRecord,
} from '@behalf/ports';
import { sql } from 'kysely';
import { setTimeout } from 'node:timers/promises';
import type { Database } from './database.js';
import { insideTransaction, outsideTransaction, transactionAround } from './open-transaction.js';
import { SqlRecordTransaction, getRecord, listRecords } from './sql-record-transaction.js';

const maxAttempts = 8;
const firstPauseMs = 4;

export interface SqlRecordStoreOptions {
  /** Called after a commit that put events in the outbox. The transaction's caller goes on when it resolves. */
  onCommit?: () => Promise<void> | void;
}

/**
 * Records in PostgreSQL or PGlite. Transactions are SERIALIZABLE; one that lost against another is run again, and
 * after some attempts fails with RecordConflict. A read on the store from inside a transaction is part of it, and a second transaction inside is
 * refused, because with one connection it would wait for ever.
 */
export class SqlRecordStore implements RecordStore {
  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly options: SqlRecordStoreOptions = {},
  ) {}

  async get<T>(kind: RecordKind<T>, id: string): Promise<StoredRecord<T> | undefined> {
    return getRecord(transactionAround(this.db) ?? this.db, kind, id, this.clock.nowMs());
  }

  async list<T>(kind: RecordKind<T>, options: ListOptions = {}): Promise<StoredRecord<T>[]> {
    return listRecords(transactionAround(this.db) ?? this.db, kind, options, this.clock.nowMs());
  }

  async transaction<R>(work: (transaction: RecordTransaction) => Promise<R>): Promise<R> {
    if (transactionAround(this.db)) throw new Error('a record transaction was opened inside another one');
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(work);
      } catch (error) {
        if (!isLostRace(error)) throw error;
        // The database does not say which record the two met at.
        if (attempt === maxAttempts) throw new RecordConflict('unknown', 'unknown');
        await setTimeout(Math.random() * firstPauseMs * 2 ** attempt);
      }
    }
  }

  async #attempt<R>(work: (transaction: RecordTransaction) => Promise<R>): Promise<R> {
    let emitted = false;
    const result = await this.db.transaction().execute(async (transaction) => {
      // Kysely's own setting for this does not reach PGlite.
      await sql`set transaction isolation level serializable`.execute(transaction);
      const records = new SqlRecordTransaction(transaction, this.clock);
      const done = await insideTransaction(this.db, transaction, () => work(records));
      emitted = records.emitted;
      return done;
    });
    if (emitted) await outsideTransaction(() => this.options.onCommit?.());
    return result;
  }
}

/** serialization_failure, deadlock_detected, unique_violation. @see PostgreSQL, appendix A */
function isLostRace(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === '40001' || code === '40P01' || code === '23505';
}
