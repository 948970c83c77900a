import { type Agent, type AgentRecord, agentRecordSchema } from '@behalf/contracts';
import type { RecordKind, StoredRecord } from '@behalf/ports';

/** Agents by client_id. A record is never deleted: the id of a retired agent stays taken. */
export const agentRecords: RecordKind<AgentRecord> = {
  name: 'agent',
  schema: agentRecordSchema,
  keys: ({ state, credential }) => ({
    state,
    ...(credential?.method === 'spiffe_jwt' && { spiffe_id: credential.spiffeId }),
    ...(credential?.method === 'workload' && { workload_issuer: credential.issuer }),
  }),
};

export function toAgent({ id, version, value }: StoredRecord<AgentRecord>): Agent {
  return { id, version, ...value };
}
