import type { EvaluationDecision } from '@behalf/contracts';

/**
 * Whether a dialect that can only say yes or no may say yes. A permit with obligations is one for callers that comply
 * with them; a caller that is never shown them cannot, so to it the answer is no.
 *
 * @see AuthZEN Obligations Profile 1.0: a PEP that cannot comply denies
 */
export function isPlainPermit({ decision, context }: EvaluationDecision): boolean {
  const obligations = context?.['obligations'];
  return decision && (obligations === undefined || (Array.isArray(obligations) && obligations.length === 0));
}
