import type { EvaluationDecision } from '@behalf/contracts';

/**
 * Whether a dialect that can only say yes or no may say yes. A permit with obligations is one for callers that comply
 * with them; a caller that is never shown them cannot, so to it the answer is no.
 *
 * Nor is the answer to a preview a permit: it says what could be permitted once conditions are met. The attack is a
 * mapping, written by a tool's server, that asks for a preview and has it enforced.
 *
 * @see AuthZEN Obligations Profile 1.0: a PEP that cannot comply denies
 */
export function isPlainPermit({ decision, context }: EvaluationDecision): boolean {
  if (context?.preview === true) return false;
  const obligations = context?.['obligations'];
  return decision && (obligations === undefined || (Array.isArray(obligations) && obligations.length === 0));
}
