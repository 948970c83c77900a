import { type Evaluation, type EvaluationDecision, evaluationSchema } from '@behalf/contracts';
import { z } from 'zod';
import { isPlainPermit } from './is-plain-permit.js';
import { argumentsContext, mcpActionOf, resourceTypeOf } from './mapped-actions.js';
import { UnmappableRequest } from './unmappable-request.js';

const object = z.record(z.string(), z.json());
const inputSchema = z.object({
  subject: object,
  action: z.union([z.string().min(1), z.looseObject({ name: z.string().min(1) })]),
  resource: z.looseObject({ type: z.string().min(1), id: z.string().min(1) }),
  context: object.nullish(),
});

/**
 * The `input` of an OPA query as an evaluation. Two forms are read: an AuthZEN evaluation as it is, and the flat one
 * that ContextForge sends (`subject.email`, `action` as text, attributes beside `resource.type` and `id`). Teams are
 * `subject.groups`, or `subject.properties.groups` in the first form; roles stay an attribute.
 *
 * @throws UnmappableRequest
 * @see https://www.openpolicyagent.org/docs/rest-api "Get a Document (with Input)"
 */
export function readOpaInput(body: unknown): Evaluation {
  const input = z.looseObject({ input: z.unknown() }).safeParse(body);
  const parsed = inputSchema.safeParse(input.data?.input);
  if (!parsed.success)
    throw new UnmappableRequest('malformed', 'the input is not a question this service can answer');
  const { subject, action, resource, context } = parsed.data;
  const name = mcpActionOf(typeof action === 'string' ? action : action.name);
  const { arguments: args, args: shortArgs, ...rest } = context ?? {};
  const evaluation = evaluationSchema.safeParse({
    subject: subjectOf(subject),
    action: typeof action === 'string' ? { name } : { ...action, name },
    resource: resourceOf(resource),
    context: { ...rest, ...argumentsContext(name, args ?? shortArgs) },
  });
  if (!evaluation.success) throw new UnmappableRequest('malformed', 'the input is not an evaluation');
  return evaluation.data;
}

function subjectOf({ type, id, email, sub, properties, ...attributes }: Record<string, unknown>) {
  const person = id ?? sub ?? email;
  if (person === undefined || person === null)
    throw new UnmappableRequest('no_identity', 'the input names no person');
  return {
    type: type ?? 'user',
    id: person,
    properties: {
      ...attributes,
      ...(email !== undefined && { email }),
      ...(properties as object | undefined),
    },
  };
}

function resourceOf({ type, id, properties, ...attributes }: Record<string, unknown>) {
  return {
    type: resourceTypeOf(type as string),
    id,
    properties: withoutEmptyServer({ ...attributes, ...(properties as object | undefined) }),
  };
}

/** An empty text is how some callers spell that there is no server. */
export function withoutEmptyServer({ server, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return server === undefined || server === null || server === '' ? rest : { ...rest, server };
}

/**
 * The answer to a query. A path that ends in `allow` is the rule itself, any other the package with `allow` and `deny`
 * in it, as callers read them.
 */
export function opaResult(
  path: string,
  answer: EvaluationDecision,
): { decision_id?: string; result: unknown } {
  const allow = isPlainPermit(answer);
  const { id, reason } = answer.context ?? {};
  const denied = answer.decision ? 'obligations' : (reason ?? 'denied');
  return {
    ...(id !== undefined && { decision_id: id }),
    result: path.split('/').at(-1) === 'allow' ? allow : { allow, deny: allow ? [] : [denied] },
  };
}
