import { DelegationRefusal } from './delegation-refusal.js';
import type { DelegationDependencies } from './ports.js';
import { requestRecords, toRequest } from './request-records.js';

/** What an agent waits between two questions. @see RFC 8628 §3.2 `interval` */
export const pollIntervalSeconds = 5;

/**
 * Tells the agent that asked how its request stands. Another agent learns nothing, not even that there is one.
 *
 * @returns when it was approved
 * @throws DelegationRefusal `request_unknown`, `request_pending`, `polled_too_often`, `person_denied`, `request_expired`
 * @see RFC 8628 §3.5
 */
export async function pollRequest(
  { id, agent }: { id: string; agent: string },
  nowMs: number,
  { records, oneTime }: Pick<DelegationDependencies, 'records' | 'oneTime'>,
): Promise<void> {
  const found = await records.get(requestRecords, id);
  if (found?.value.agent !== agent) throw new DelegationRefusal({ kind: 'request_unknown' });
  const { state } = toRequest(found, nowMs);
  if (state === 'approved') return;
  if (state === 'denied') throw new DelegationRefusal({ kind: 'person_denied' });
  if (state === 'expired') throw new DelegationRefusal({ kind: 'request_expired' });
  const claim = { ttlSeconds: pollIntervalSeconds, issuedAtMs: nowMs };
  const isInTime = await oneTime.claim('delegation-poll', id, claim);
  throw new DelegationRefusal({ kind: isInTime ? 'request_pending' : 'polled_too_often' });
}
