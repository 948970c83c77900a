import type { Agent, AgentRecord, AgentState } from '@behalf/contracts';
import { recordOf } from './change-agent.js';
import type { Act } from './ports.js';

/**
 * The record of an agent that enters another state. The moments of its states grow strictly, whatever clocks do:
 * revocations are put in order by them.
 */
export function enterState(
  agent: Agent,
  state: AgentState,
  reason: string | undefined,
  { nowMs }: Act,
): AgentRecord {
  const { stateReason: _earlier, ...record } = recordOf(agent);
  return {
    ...record,
    state,
    stateSinceMs: Math.max(nowMs, agent.stateSinceMs + 1),
    ...(reason !== undefined && { stateReason: reason }),
  };
}
