import type { Agent } from '@behalf/contracts';
import { AgentRefusal } from './agent-refusal.js';
import { changeAgent, checkNotRetired, recordOf } from './change-agent.js';
import type { Act, AgentDependencies, Target } from './ports.js';
import { validateAdditionalKey } from './validate-keys.js';

/** Gives an agent its next key, beside the one in use. @throws AgentRefusal */
export function addKey(
  target: Target,
  key: Record<string, unknown>,
  act: Act,
  dependencies: AgentDependencies,
): Promise<Agent> {
  return changeAgent(target, act, dependencies, async (agent) => {
    checkNotRetired(agent);
    if (!agent.jwks) throw new AgentRefusal({ kind: 'keys_are_not_here' });
    const { keys } = agent.jwks;
    return {
      record: { ...recordOf(agent), jwks: { keys: [...keys, await validateAdditionalKey(key, keys)] } },
    };
  });
}
