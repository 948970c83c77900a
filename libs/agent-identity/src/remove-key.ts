import type { Agent } from '@behalf/contracts';
import { AgentRefusal } from './agent-refusal.js';
import { changeAgent, checkNotRetired, recordOf } from './change-agent.js';
import type { Act, AgentDependencies, Target } from './ports.js';

/**
 * Takes a key from an agent: assertions signed with it are refused from now on. Tokens it got with them stay; to end
 * those as well, suspend the agent.
 *
 * @throws AgentRefusal
 */
export function removeKey(
  target: Target,
  kid: string,
  act: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  return changeAgent(target, act, dependencies, (agent) => {
    checkNotRetired(agent);
    if (!agent.jwks) throw new AgentRefusal({ kind: 'keys_are_not_here' });
    const keys = agent.jwks.keys.filter((key) => key.kid !== kid);
    if (keys.length === agent.jwks.keys.length) throw new AgentRefusal({ kind: 'key_unknown' });
    if (keys.length === 0) throw new AgentRefusal({ kind: 'last_key' });
    return { record: { ...recordOf(agent), jwks: { keys } } };
  });
}
