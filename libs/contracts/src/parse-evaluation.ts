import { isPlainJson, isPlainObject } from '@behalf/i-json';
import type { z } from 'zod';
import { type Evaluation, evaluationSchema } from './policy.js';

const { shape } = evaluationSchema;
type Part = keyof Evaluation;

/**
 * What `evaluationSchema.safeParse` answers. A decision takes less time than the schema does, so what is an evaluation
 * is found to be one without it; all that is refused, and says why, is the schema's.
 */
export function parseEvaluation(value: unknown): z.ZodSafeParseResult<Evaluation> {
  if (!isPlainObject(value)) return evaluationSchema.safeParse(value);
  const subject = readEntity(value['subject']);
  const action = readAction(value['action']);
  const resource = readEntity(value['resource']);
  const context = value['context'];
  const isWhole = subject !== undefined && action !== undefined && resource !== undefined;
  if (!isWhole || (context !== undefined && !isProperties(context))) return evaluationSchema.safeParse(value);
  return { success: true, data: { subject, action, resource, ...(context !== undefined && { context }) } };
}

/** The same for one part of an evaluation, as a batch gives it. */
export function parseEvaluationPart<P extends Part>(
  part: P,
  value: unknown,
): z.ZodSafeParseResult<Evaluation[P]> {
  const read = readers[part](value);
  const parsed = read === undefined ? shape[part].safeParse(value) : { success: true, data: read };
  return parsed as z.ZodSafeParseResult<Evaluation[P]>;
}

/** Each gives what the schema would, or undefined, which says nothing but that the schema has to be asked. */
const readers: { [P in Part]: (value: unknown) => Evaluation[P] | undefined } = {
  subject: readEntity,
  action: readAction,
  resource: readEntity,
  context: (value) => (isProperties(value) ? value : undefined),
};

function readEntity(value: unknown): Evaluation['subject'] | undefined {
  if (!isPlainObject(value)) return undefined;
  const { type, id, properties } = value;
  if (!isName(type) || !isName(id)) return undefined;
  if (properties === undefined) return { type, id };
  return isProperties(properties) ? { type, id, properties } : undefined;
}

function readAction(value: unknown): Evaluation['action'] | undefined {
  if (!isPlainObject(value)) return undefined;
  const { name, properties } = value;
  if (!isName(name)) return undefined;
  if (properties === undefined) return { name };
  return isProperties(properties) ? { name, properties } : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isProperties(value: unknown): value is NonNullable<Evaluation['context']> {
  return isPlainObject(value) && isPlainJson(value);
}
