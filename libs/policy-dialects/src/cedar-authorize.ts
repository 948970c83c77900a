import { type Evaluation, type EvaluationDecision, evaluationSchema } from '@behalf/contracts';
import { z } from 'zod';
import { isPlainPermit } from './is-plain-permit.js';
import { argumentsContext, mcpActionOf } from './mapped-actions.js';
import { withoutEmptyServer } from './opa-data.js';
import { UnmappableRequest } from './unmappable-request.js';

const object = z.record(z.string(), z.json());
const uid = z.looseObject({ type: z.string().min(1), id: z.string().min(1), attrs: object.nullish() });
const reference = z.union([z.string(), uid]);
const entitySchema = z.looseObject({
  identifier: uid.optional(),
  uid: uid.optional(),
  attrs: object.nullish(),
  parents: z.array(uid).nullish(),
});
const requestSchema = z.object({
  principal: reference,
  action: reference,
  resource: reference,
  context: object.nullish(),
  entities: z.array(entitySchema).nullish(),
});

/** Cedar's types by what AuthZEN calls them. `Server` and `Resource` are ContextForge's names. */
const types: Readonly<Record<string, string>> = {
  Tool: 'tool',
  Prompt: 'prompt',
  ResourceUri: 'resource_uri',
  Resource: 'resource_uri',
  McpServer: 'mcp_server',
  Server: 'mcp_server',
};
const literal = /^([A-Za-z_][A-Za-z0-9_]*)::"((?:[^"\\]|\\["\\])*)"$/;

/**
 * A Cedar authorization request (`principal`, `action`, `resource`, `context`, `entities`) as ContextForge sends it to
 * a cedar-agent. Of the entities only the principal's own is read: its attributes, its `Team` parents as teams, and
 * its `Role` parents as the attribute `roles`. What is said about the resource stands in `resource.attrs`.
 *
 * @throws UnmappableRequest
 */
export function readCedarAuthorize(body: unknown): Evaluation {
  const parsed = requestSchema.safeParse(body);
  if (!parsed.success) throw new UnmappableRequest('malformed', 'the body is not an authorization request');
  const { context, entities } = parsed.data;
  const principal = uidOf(parsed.data.principal);
  const action = mcpActionOf(uidOf(parsed.data.action).id);
  const resource = uidOf(parsed.data.resource);
  if (principal.type !== 'User') throw new UnmappableRequest('refused', 'the principal is not a User');
  const type = Object.hasOwn(types, resource.type) ? types[resource.type] : undefined;
  if (type === undefined) throw new UnmappableRequest('refused', 'the type of the resource is not known');
  const own = entities?.find((entity) => {
    const { type: ofType, id } = entity.identifier ?? entity.uid ?? {};
    return ofType === 'User' && id === principal.id;
  });
  const parents = (ofType: string) =>
    (own?.parents ?? []).filter((parent) => parent.type === ofType).map((parent) => parent.id);
  const roles = parents('Role');
  const { arguments: args, args: shortArgs, ...rest } = context ?? {};
  const evaluation = evaluationSchema.safeParse({
    subject: {
      type: 'user',
      id: principal.id,
      properties: {
        ...own?.attrs,
        ...principal.attrs,
        ...(roles.length > 0 && { roles }),
        groups: parents('Team'),
      },
    },
    action: { name: action },
    resource: resourceOf(type, resource.id, withoutEmptyServer({ ...resource.attrs })),
    context: { ...rest, ...argumentsContext(action, args ?? shortArgs) },
  });
  if (!evaluation.success) throw new UnmappableRequest('malformed', 'the request is not an evaluation');
  return evaluation.data;
}

/** Here the id may be Cedar's own, `<server>/<name>`; elsewhere a name with a slash is never taken apart. */
function resourceOf(type: string, id: string, properties: Record<string, unknown>): object {
  const [, server, name] = /^([^/:]+)\/([^]+)$/.exec(id) ?? [];
  if (type === 'mcp_server' || 'server' in properties || server === undefined)
    return { type, id, properties };
  return { type, id: name, properties: { ...properties, server } };
}

/** `decision` and `reasons`, the policies that determined it. */
export function cedarAnswer(answer: EvaluationDecision): {
  decision: 'Allow' | 'Deny';
  reasons: string[];
  decision_id?: string;
} {
  const { id, policies, reason } = answer.context ?? {};
  const reasons = policies?.length ? policies : reason === undefined ? [] : [reason];
  return {
    decision: isPlainPermit(answer) ? 'Allow' : 'Deny',
    reasons,
    ...(id !== undefined && { decision_id: id }),
  };
}

function uidOf(value: z.infer<typeof reference>): z.infer<typeof uid> {
  if (typeof value !== 'string') return value;
  const [, type, id] = literal.exec(value) ?? [];
  if (type === undefined || id === undefined || id === '')
    throw new UnmappableRequest('malformed', 'an entity is not written as Type::"id"');
  return { type, id: id.replace(/\\(.)/g, '$1') };
}
