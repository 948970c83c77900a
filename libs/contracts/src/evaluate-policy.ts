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
  { safeParse: parseQuestion },
  { safeParse: parseAnswer },
  {
    repeatable: (evaluation: PolicyQuestion) => ({
      ...evaluation,
      context: { ...evaluation.context, repeated: true },
    }),
  },
);

/** What goes between services only. Anything but a text is as if it were not there: then nothing is written ahead. */
function textOf(value: unknown, name: keyof PolicyQuestion | keyof PolicyAnswer): string | undefined {
  const text = isPlainObject(value) ? value[name] : undefined;
  return typeof text === 'string' ? text : undefined;
}

function parseQuestion(value: unknown): z.ZodSafeParseResult<PolicyQuestion> {
  const parsed = parseEvaluation(value);
  const recordsAhead = textOf(value, 'recordsAhead');
  return parsed.success && recordsAhead !== undefined
    ? { success: true, data: { ...parsed.data, recordsAhead } }
    : parsed;
}

function parseAnswer(value: unknown): z.ZodSafeParseResult<PolicyAnswer> {
  const parsed = parseDecision(value);
  const recording = textOf(value, 'recording');
  return parsed.success && recording !== undefined
    ? { success: true, data: { ...parsed.data, recording } }
    : parsed;
}
