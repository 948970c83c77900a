import { RecordConflict, type RecordStore, type RecordTransaction } from '@behalf/ports';
import { DelegationRefusal } from './delegation-refusal.js';
import type { Act, DelegationDependencies } from './ports.js';
import { recordChange } from './record-change.js';

const maxAttempts = 20;

/** Runs a change again when another writer was first; tells the audit log when it is refused. */
export async function transact<R>(
  change: string,
  about: Parameters<typeof recordChange>[1],
  act: Act,
  dependencies: Pick<DelegationDependencies, 'audit'> & { records: RecordStore },
  work: (transaction: RecordTransaction) => Promise<R>,
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await dependencies.records.transaction(work);
    } catch (error) {
      if (error instanceof DelegationRefusal) await recordChange(change, about, act, dependencies, error);
      if (!(error instanceof RecordConflict) || attempt === maxAttempts) throw error;
    }
  }
}
