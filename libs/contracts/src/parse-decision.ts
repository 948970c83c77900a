import { isPlainObject } from '@behalf/i-json';
import type { z } from 'zod';
import {
  type DecisionContext,
  type EvaluationDecision,
  decisionReasonSchema,
  evaluationDecisionSchema,
} from './policy.js';

const reasons: ReadonlySet<unknown> = new Set(decisionReasonSchema.options);

/**
 * What `evaluationDecisionSchema.safeParse` answers. Most decisions say no more than why; that they are some is found
 * without the schema. Whatever has more in it, or something else, is the schema's.
 */
export function parseDecision(value: unknown): z.ZodSafeParseResult<EvaluationDecision> {
  if (!isPlainObject(value)) return evaluationDecisionSchema.safeParse(value);
  const { decision, context } = value;
  if (typeof decision !== 'boolean' || !isPlainContext(context))
    return evaluationDecisionSchema.safeParse(value);
  return { success: true, data: { decision, context } };
}

function isPlainContext(context: unknown): context is DecisionContext {
  return isPlainObject(context) && Object.keys(context).every((name) => isPlainMember(name, context[name]));
}

function isPlainMember(name: string, value: unknown): boolean {
  switch (name) {
    case 'id':
    case 'policy_version':
    case 'decision_grant':
      return typeof value === 'string';
    case 'reason':
      return reasons.has(value);
    case 'policies':
    case 'errors':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    default:
      return false;
  }
}
