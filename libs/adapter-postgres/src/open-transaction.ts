import { AsyncLocalStorage } from 'node:async_hooks';
import { outsideDeadline } from '@behalf/ports';
import type { Transaction } from 'kysely';
import type { Database, Tables } from './database.js';

interface OpenTransaction {
  readonly db: Database;
  readonly transaction: Transaction<Tables>;
  open: boolean;
}

const current = new AsyncLocalStorage<OpenTransaction>();

/**
 * The transaction that the calling code runs in, if any. What reads or writes outside of it would wait for its end on
 * a single connection, and its end for the answer: a deadlock.
 */
export function transactionAround(db: Database): Transaction<Tables> | undefined {
  const found = current.getStore();
  return found?.open && found.db === db ? found.transaction : undefined;
}

/** Runs work so that everything it calls finds its transaction. Code that outlives the work finds none. */
export async function insideTransaction<R>(
  db: Database,
  transaction: Transaction<Tables>,
  work: () => Promise<R>,
): Promise<R> {
  const entered: OpenTransaction = { db, transaction, open: true };
  try {
    return await current.run(entered, work);
  } finally {
    entered.open = false;
  }
}

/** Runs what a transaction, or a request, has started without being part of it, such as a timer. */
export function outsideTransaction<R>(work: () => R): R {
  return current.exit(() => outsideDeadline(work));
}
