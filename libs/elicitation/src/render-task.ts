import type { ElicitationStatus } from '@behalf/contracts';
import { type Elicitation, statusAt } from './elicitation.js';

/** What an agent that has nobody in front of it is told when it asks how far the person is. */
export interface ElicitationTask {
  id: string;
  status: ElicitationStatus;
  /** In the words of the MCP tasks extension. */
  task_status: 'input_required' | 'working' | 'completed' | 'failed' | 'cancelled';
  provider: string;
  scope: string;
  url: string;
  created_at: string;
  expires_at: string;
  /** Seconds. */
  interval: number;
}

const taskStatuses: Record<ElicitationStatus, ElicitationTask['task_status']> = {
  pending: 'input_required',
  opened: 'input_required',
  consented: 'working',
  completed: 'completed',
  declined: 'failed',
  expired: 'failed',
  cancelled: 'cancelled',
};

export function renderTask(
  id: string,
  elicitation: Elicitation,
  { nowMs, connectUrl, interval }: { nowMs: number; connectUrl: string; interval: number },
): ElicitationTask {
  const status = statusAt(elicitation, nowMs);
  return {
    id,
    status,
    task_status: taskStatuses[status],
    provider: elicitation.provider,
    scope: elicitation.scopes.join(' '),
    url: `${connectUrl}?e=${id}`,
    created_at: new Date(elicitation.createdAtMs).toISOString(),
    expires_at: new Date(elicitation.expiresAtMs).toISOString(),
    interval,
  };
}
