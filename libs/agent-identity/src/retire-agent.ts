import { type Agent, agentRetired } from '@behalf/contracts';
import { changeAgent } from './change-agent.js';
import { enterState } from './enter-state.js';
import type { Act, AgentDependencies, Target } from './ports.js';

/**
 * Ends an agent for good: as a suspension that nobody can take back. Its record stays, so that nobody gets its id.
 *
 * @throws AgentRefusal
 */
export function retireAgent(
  target: Target,
  reason: string | undefined,
  act: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  return changeAgent(target, act, dependencies, async (agent, transaction) => {
    if (agent.state === 'retired') return undefined;
    const record = enterState(agent, 'retired', reason, act);
    await dependencies.revoke(transaction, { id: agent.id, revokedAtMs: record.stateSinceMs });
    return { record, event: agentRetired };
  });
}
