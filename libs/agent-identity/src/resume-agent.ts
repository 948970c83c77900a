import { type Agent, agentResumed } from '@behalf/contracts';
import { changeAgent, checkNotRetired } from './change-agent.js';
import { enterState } from './enter-state.js';
import type { Act, AgentDependencies, Target } from './ports.js';

/**
 * How long after a suspension a token may have come into being that was asked for before it: requests that were
 * running, and clocks of replicas that differ.
 */
const issueMarginMs = 10_000;

/**
 * Lets a suspended agent act again. It gets new tokens, which work; those from before its suspension stay refused.
 *
 * @throws AgentRefusal
 */
export function resumeAgent(
  target: Target,
  reason: string | undefined,
  act: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  return changeAgent(target, act, dependencies, async (agent, transaction) => {
    checkNotRetired(agent);
    if (agent.state === 'active') return undefined;
    const record = enterState(agent, 'active', reason, act);
    await dependencies.revoke(transaction, {
      id: agent.id,
      revokedAtMs: record.stateSinceMs,
      // Not the moment of resuming: the agent's first new token would be refused for the rest of that second.
      issuedUntilMs: Math.min(record.stateSinceMs, agent.stateSinceMs + issueMarginMs),
    });
    return { record, event: agentResumed };
  });
}
