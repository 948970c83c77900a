import { RecordConflict, type RecordStore, type RecordTransaction } from '@behalf/ports';

const maxAttempts = 20;

/** Runs a transaction again when another writer was first. The work must have no effect outside the transaction. */
export async function transact<R>(
  records: RecordStore,
  work: (transaction: RecordTransaction) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await records.transaction(work);
    } catch (error) {
      if (!(error instanceof RecordConflict) || attempt === maxAttempts) throw error;
    }
  }
}
