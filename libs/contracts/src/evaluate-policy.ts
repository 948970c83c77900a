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
  { safeParse: (value) => withText(parseEvaluation(value), 'recordsAhead', value) },
  { safeParse: (value) => withText(parseDecision(value), 'recording', value) },
  {
    repeatable: (evaluation: PolicyQuestion) => ({
      ...evaluation,
      context: { ...evaluation.context, repeated: true },
    }),
  },
);

/** Adds what goes between services only. Anything but a text is as if it were not there: then nothing is written ahead. */
function withText<T extends object, N extends string>(
  parsed: z.ZodSafeParseResult<T>,
  name: N,
  value: unknown,
): z.ZodSafeParseResult<T & { [M in N]?: string }> {
  const text = isPlainObject(value) ? value[name] : undefined;
  if (!parsed.success || typeof text !== 'string') return parsed;
  return { success: true, data: { ...parsed.data, [name]: text } };
}
