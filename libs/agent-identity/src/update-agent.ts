import type { Agent, UpdateAgentRequest } from '@behalf/contracts';
import { AgentRefusal } from './agent-refusal.js';
import { changeAgent, checkNotRetired, recordOf } from './change-agent.js';
import type { Act, AgentDependencies, Target } from './ports.js';
import { checkCredentialFree, validateCredential } from './validate-credential.js';

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
  return changeAgent(target, act, dependencies, async (agent, transaction) => {
    checkNotRetired(agent);
    const { credential, ...rest } = changes;
    const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const record = { ...recordOf(agent), ...named };
    if (credential === undefined) return { record };
    if (credential.method !== agent.credential?.method || credential.method === 'client_secret')
      throw new AgentRefusal({ kind: 'credential_of_other_method' });
    const kept = validateCredential(credential, dependencies);
    await checkCredentialFree(kept, agent.id, transaction);
    return { record: { ...record, credential: kept } };
  });
}
