import { isPlainObject } from '@behalf/i-json';
import type { RequestContract } from '@behalf/ports';
import type { z } from 'zod';
import { defineRequest } from './define.js';
import { parseDecision } from './parse-decision.js';
import { parseEvaluation } from './parse-evaluation.js';
import type { Evaluation, EvaluationDecision } from './policy.js';

/** A question of one service to another. */
export interface PolicyQuestion extends Evaluation {
  /** The audit log that whoever asks will look into before they let anything come of a permission. */
  recordsAhead?: string;
}

export interface PolicyAnswer extends EvaluationDecision {
  /** The record of this permission is being written there: nothing may come of it before that is done. */
  recording?: string;
}

/**
 * Asks the policy service for one decision. Asked again, with `context.repeated`, it is answered where the answer spends
 * no budget and uses up no approval; otherwise whoever was asked first may have done so already.
 */
export const evaluatePolicy: RequestContract<PolicyQuestion, PolicyAnswer> = defineRequest(
  'behalf.policy.evaluation.decide',
  besides('recordsAhead', parseEvaluation),
  besides('recording', parseDecision),
  {
    repeatable: (evaluation: PolicyQuestion) => ({
      ...evaluation,
      context: { ...evaluation.context, repeated: true },
    }),
  },
);

/** Besides, one text that goes between services only. Anything but a text is as if it were not there. */
function besides<T extends object, N extends string>(
  name: N,
  parse: (value: unknown) => z.ZodSafeParseResult<T>,
): { safeParse(value: unknown): z.ZodSafeParseResult<T & { [name in N]?: string }> } {
  return {
    safeParse(value) {
      const parsed = parse(value);
      const text = isPlainObject(value) ? value[name] : undefined;
      return parsed.success && typeof text === 'string'
        ? { success: true, data: { ...parsed.data, [name]: text } }
        : parsed;
    },
  };
}
