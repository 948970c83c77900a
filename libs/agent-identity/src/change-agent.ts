import { type Agent, agentChanged, type AgentRecord } from '@behalf/contracts';
import { canonicalJson } from '@behalf/i-json';
import { type EventContract, RecordConflict, type RecordTransaction } from '@behalf/ports';
import { agentRecords, toAgent } from './agent-records.js';
import { AgentRefusal } from './agent-refusal.js';
import type { Act, AgentDependencies, Target } from './ports.js';

const maxAttempts = 20;

export interface Change {
  record: AgentRecord;
  event?: EventContract<{
    id: string;
    version: number;
    state: AgentRecord['state'];
    by: string;
    changed: string[];
  }>;
}

/**
 * Changes an agent: reads it, lets `decide` say what becomes of it, and writes that with its event in one transaction.
 * Of concurrent changes by callers who saw the same version one wins, and the others are refused; a caller who named
 * no version decides again on what the other left.
 *
 * `decide` may run more than once; undefined leaves everything as it is.
 *
 * @throws AgentRefusal `agent_unknown`, `version_conflict`, and what `decide` throws
 */
export async function changeAgent(
  { id, expectedVersion }: Target,
  { by, nowMs }: Act,
  { records }: Pick<AgentDependencies, 'records'>,
  decide: (agent: Agent, transaction: RecordTransaction) => Change | undefined | Promise<Change | undefined>,
): Promise<Agent> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await records.transaction(async (transaction) => {
        const known = await transaction.get(agentRecords, id);
        if (!known) throw new AgentRefusal({ kind: 'agent_unknown' });
        if (expectedVersion !== undefined && expectedVersion !== known.version) {
          throw new AgentRefusal({ kind: 'version_conflict' });
        }
        const change = await decide(toAgent(known), transaction);
        if (!change) return toAgent(known);
        const record = { ...change.record, updatedAtMs: nowMs };
        const version = await transaction.put(agentRecords, id, record, { expectedVersion: known.version });
        await transaction.emit(change.event ?? agentChanged, {
          id,
          version,
          state: record.state,
          by,
          changed: changedMembers(known.value, change.record),
        });
        return { ...record, id, version };
      });
    } catch (error) {
      if (!(error instanceof RecordConflict) || attempt === maxAttempts) throw error;
    }
  }
}

/** @throws AgentRefusal `agent_retired` */
export function checkNotRetired({ state }: Pick<Agent, 'state'>): void {
  if (state === 'retired') throw new AgentRefusal({ kind: 'agent_retired' });
}

function changedMembers(before: AgentRecord, after: AgentRecord): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])] as (keyof AgentRecord)[];
  return names.filter((name) => canonicalJson(before[name] ?? null) !== canonicalJson(after[name] ?? null));
}

/** The record of an agent as it was read. */
export function recordOf({ id: _id, version: _version, ...record }: Agent): AgentRecord {
  return record;
}
