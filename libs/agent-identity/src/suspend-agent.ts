import { type Agent, agentSuspended } from '@behalf/contracts';
import { changeAgent, checkNotRetired } from './change-agent.js';
import { enterState } from './enter-state.js';
import type { Act, AgentDependencies, Target } from './ports.js';

/**
 * Stops an agent: it gets no new tokens, and those it has are refused wherever revocations reach, as its own and in
 * every chain that names it. The state, its event and the revocation commit together. Suspending twice is suspending
 * once.
 *
 * The revocation has no end in time while the agent is suspended: a token that was being issued meanwhile, or by a
 * replica whose clock is ahead, is refused, too.
 *
 * @throws AgentRefusal
 */
export function suspendAgent(
  target: Target,
  reason: string | undefined,
  act: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  return changeAgent(target, act, dependencies, async (agent, transaction) => {
    checkNotRetired(agent);
    if (agent.state === 'suspended') return undefined;
    const record = enterState(agent, 'suspended', reason, act);
    await dependencies.revoke(transaction, { id: agent.id, revokedAtMs: record.stateSinceMs });
    return { record, event: agentSuspended };
  });
}
