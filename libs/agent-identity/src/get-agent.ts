import type { Agent } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { agentRecords, toAgent } from './agent-records.js';
import { AgentRefusal } from './agent-refusal.js';

/** The agent of this client_id, of any state; undefined when there never was one. */
export async function findAgent(records: RecordReader, id: string): Promise<Agent | undefined> {
  const found = await records.get(agentRecords, id);
  return found && toAgent(found);
}

/** @throws AgentRefusal `agent_unknown` */
export async function getAgent(records: RecordReader, id: string): Promise<Agent> {
  const agent = await findAgent(records, id);
  if (!agent) throw new AgentRefusal({ kind: 'agent_unknown' });
  return agent;
}
