import type { Agent, UpdateAgentRequest } from '@behalf/contracts';
import { changeAgent, checkNotRetired, recordOf } from './change-agent.js';
import type { Act, AgentDependencies, Target } from './ports.js';

/**
 * Changes what an agent is called, who answers for it, and what it may do. A narrower ceiling or lifetime holds for
 * tokens issued from now on; to end those it has, suspend it.
 *
 * @throws AgentRefusal
 */
export function updateAgent(
  target: Target,
  changes: UpdateAgentRequest,
  act: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  return changeAgent(target, act, dependencies, (agent) => {
    checkNotRetired(agent);
    const named = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
    return { record: { ...recordOf(agent), ...named } };
  });
}
