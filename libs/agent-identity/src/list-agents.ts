import type { Agent, AgentState } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { agentRecords, toAgent } from './agent-records.js';

/** One page of agents, in the order of their ids. `next` is where the next page begins; absent on the last. */
export async function listAgents(
  records: RecordReader,
  { state, after, limit }: { state?: AgentState | undefined; after?: string | undefined; limit: number },
): Promise<{ agents: Agent[]; next?: string }> {
  // One more than asked for tells whether there is a next page.
  const found = await records.list(agentRecords, {
    limit: limit + 1,
    ...(state !== undefined && { where: { state } }),
    ...(after !== undefined && { afterId: after }),
  });
  const agents = found.slice(0, limit).map(toAgent);
  const last = agents.at(-1);
  return { agents, ...(found.length > limit && last && { next: last.id }) };
}
