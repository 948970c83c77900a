import type { DelegationGrant, DelegationGrantRecord } from '@behalf/contracts';
import type { EventContract, RecordTransaction } from '@behalf/ports';
import { DelegationRefusal } from './delegation-refusal.js';
import { grantRecords, putGrant, recordOf, toGrant } from './grant-records.js';
import type { Act, DelegationDependencies } from './ports.js';
import { recordChange } from './record-change.js';
import { transact } from './transact.js';

/** What is changed, and what the caller saw of it: another version there is a refusal. Without one, any will do. */
export interface Target {
  id: string;
  expectedVersion?: number | undefined;
}

type GrantEvent = EventContract<{ id: string; version: number; agent: string; resource: string }>;

/**
 * Changes a grant: the record, its event, what ends its tokens and the audit record, all or nothing. A person changes
 * their own grants only; another's does not exist for them.
 *
 * `decide` may run more than once; undefined leaves everything as it is.
 *
 * @throws DelegationRefusal `grant_unknown`, `version_conflict`, and what `decide` throws
 */
export async function changeGrant(
  change: string,
  { id, expectedVersion }: Target,
  act: Act,
  dependencies: DelegationDependencies,
  decide: (
    grant: DelegationGrant,
    transaction: RecordTransaction,
  ) => Promise<Partial<DelegationGrantRecord> | undefined>,
  event: GrantEvent,
): Promise<DelegationGrant> {
  const { by, nowMs } = act;
  return transact(change, { id }, act, dependencies, async (transaction) => {
    const known = await transaction.get(grantRecords, id);
    if (!known || ('person' in by && by.person !== known.value.person))
      throw new DelegationRefusal({ kind: 'grant_unknown' });
    if (expectedVersion !== undefined && expectedVersion !== known.version)
      throw new DelegationRefusal({ kind: 'version_conflict' });
    const before = toGrant(known, nowMs);
    const changes = await decide(before, transaction);
    if (!changes) return before;
    const record = { ...recordOf({ ...before, ...known.value }), ...changes, updatedAtMs: nowMs };
    const grant = await putGrant(transaction, id, record, known.version);
    const { version, agent, resource } = grant;
    await transaction.emit(event, { id, version, agent, resource });
    await recordChange(change, grant, act, dependencies);
    return grant;
  });
}
