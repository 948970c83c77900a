import type { ElicitationStatus } from '@behalf/contracts';
import { type Elicitation, statusAt } from './elicitation.js';
import { ElicitationRefusal } from './elicitation-refusal.js';

/** What may follow what. Nothing follows an end: of two browsers that finish the same elicitation, one does. */
const next: Record<ElicitationStatus, readonly ElicitationStatus[]> = {
  // Straight to completed: the person agreed to the same in another of the asker's elicitations.
  pending: ['opened', 'completed', 'expired', 'cancelled'],
  opened: ['opened', 'consented', 'completed', 'declined', 'expired', 'cancelled'],
  // Back to opened: something went wrong at the provider, and the person may try again.
  consented: ['opened', 'consented', 'completed', 'declined', 'expired', 'cancelled'],
  completed: [],
  declined: [],
  expired: [],
  cancelled: [],
};

/**
 * The elicitation in its next status.
 *
 * @throws ElicitationRefusal `over` when it has ended or run out, `not_consented` for a step that was skipped
 */
export function transition(elicitation: Elicitation, to: ElicitationStatus, nowMs: number): Elicitation {
  const from = statusAt(elicitation, nowMs);
  if (next[from].length === 0) throw new ElicitationRefusal({ kind: 'over', status: from });
  if (!next[from].includes(to)) throw new ElicitationRefusal({ kind: 'not_consented' });
  return { ...elicitation, status: to, statusSinceMs: nowMs };
}
