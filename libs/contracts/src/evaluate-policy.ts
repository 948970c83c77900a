import { defineRequest } from './define.js';
import { parseEvaluation } from './parse-evaluation.js';
import { parseDecision } from './parse-decision.js';
import type { Evaluation } from './policy.js';

/**
 * Asks the policy service for one decision. Asked again, with `context.repeated`, it is answered where the answer spends
 * no budget and uses up no approval; otherwise whoever was asked first may have done so already.
 */
export const evaluatePolicy = defineRequest(
  'behalf.policy.evaluation.decide',
  { safeParse: parseEvaluation },
  { safeParse: parseDecision },
  {
    repeatable: (evaluation: Evaluation) => ({
      ...evaluation,
      context: { ...evaluation.context, repeated: true },
    }),
  },
);
