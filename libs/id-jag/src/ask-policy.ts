import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { IdJagRefusal } from './id-jag-refusal.js';

/**
 * Asks policy. No answer is a refusal.
 *
 * @returns the id of the decision
 * @throws IdJagRefusal
 */
export async function askPolicy(
  evaluation: Evaluation,
  { decide }: { decide: (evaluation: Evaluation) => Promise<EvaluationDecision> },
): Promise<string | undefined> {
  const { decision, context } = await decide(evaluation).catch((cause: unknown) => {
    throw new IdJagRefusal({ kind: 'policy_unavailable', cause });
  });
  if (!decision) throw new IdJagRefusal({ kind: 'policy_denied', decisionId: context?.id });
  return context?.id;
}
