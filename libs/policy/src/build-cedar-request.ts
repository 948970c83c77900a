import type { Evaluation } from '@behalf/contracts';
import { buildActors } from './build-actors.js';
import { buildResource } from './build-resource.js';
import type { CedarEntity, CedarRequest, CedarValue } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { buildSubject } from './build-subject.js';
import { toCedarRecord } from './to-cedar-value.js';
import type { ListItem, SharedRequest } from './ports.js';
import { toStrings } from './to-strings.js';
import { describedTool } from './tool-definition.js';
import { type NumberForm, typeArguments } from './type-arguments.js';

export interface MappingOptions {
  /** The issuer whose actors are known by `sub` alone; any other issuer's stand under `<iss>#<sub>`. */
  ownIssuer?: string | undefined;
  /** Resource types besides MCP's, and the Cedar type of each. */
  resourceTypes?: Readonly<Record<string, string>> | undefined;
  /** The moment of the decision; without it there is no `context.now`. */
  nowMs?: number | undefined;
  /** How arguments of the type `number` are put when the evaluation carries the tool's schema. */
  numbers?: NumberForm | undefined;
  /** Token claim -> attribute of the person; `groups` names the teams. */
  personAttributes?: Readonly<Record<string, string>> | undefined;
}

/**
 * Puts an AuthZEN evaluation in Cedar's terms:
 *
 * | AuthZEN | Cedar |
 * |---|---|
 * | `subject` of type `user` or `identity` | `User::"id"`; `properties.groups` are its parents `Team::"x"`, the other properties its attributes |
 * | `action.name` | `Action::"name"`, `properties` as `context.action` |
 * | `subject.properties.claims` | claims of the person's token, see `buildSubject` |
 * | `resource` | see `buildResource` |
 * | `context.actors` | `context.actor` (the current one, optional), `context.actors` (Set<Agent>), `context.depth` |
 * | `context.arguments` | `context.arguments`, typed by the tool's schema if it came along, else by `toCedarValue`; an empty record without them |
 * | `context.arguments_unknown: true` | no `context.arguments` at all: the caller saw the call without them, so a policy that reads them errs |
 * | `context.scope`, `context.aud` | Set<String>; empty without them |
 * | `context.origin` | the same, with `ip` as an ipaddr |
 * | the time | `context.now`, a datetime: ours, whatever the caller says |
 * | any other member of `context` | under its own name |
 *
 * Does not check anything against the bundle's schema: arguments are as free as the tools that declare them, so policies are
 * validated against the schema and requests are not. A value of an undeclared type makes a policy err, which denies.
 *
 * @throws InvalidEvaluation when part of it has no faithful Cedar form
 */
export function buildCedarRequest(evaluation: Evaluation, options: MappingOptions = {}): CedarRequest {
  const shared = buildSharedRequest(evaluation, options);
  const item = buildListItem(evaluation, options);
  return { ...shared, ...item, entities: distinct([...shared.entities, ...item.entities]) };
}

/**
 * Not put under their own names as they are. `actor`, `depth`, `action` and `now` are only ever derived: a caller's own
 * would contradict what they come from.
 */
const mapped = new Set(
  'arguments arguments_unknown actors scope aud origin actor depth action now'.split(' '),
);

/** The part that says who asks under which circumstances. Evaluations with the same subject and context share it. */
export function buildSharedRequest(evaluation: Evaluation, options: MappingOptions): SharedRequest {
  const given = evaluation.context ?? {};
  const { arguments: args, arguments_unknown: unseen, actors: chain, scope, aud, origin } = given;
  const subject = buildSubject(evaluation.subject, options.personAttributes);
  const actors = buildActors(chain, options.ownIssuer);
  if (args !== undefined && args !== null && (typeof args !== 'object' || Array.isArray(args))) {
    throw new InvalidEvaluation('context.arguments', 'must be an object');
  }
  const [current] = actors;
  const { properties } = evaluation.action;
  const context = toCedarRecord(given, 'context', mapped);
  if (origin !== undefined && origin !== null) context['origin'] = buildOrigin(origin);
  if (properties !== undefined) context['action'] = toCedarRecord(properties, 'action.properties');
  if (current !== undefined) context['actor'] = { __entity: current.uid };
  context['actors'] = actors.map((actor) => ({ __entity: actor.uid }));
  context['depth'] = actors.length;
  // Left out when nobody has seen them: an empty record would say that there are none, and slip past a forbid.
  if (unseen !== true) context['arguments'] = buildArguments(args, evaluation, options.numbers);
  if (options.nowMs !== undefined) context['now'] = datetimeOf(options.nowMs);
  context['scope'] =
    scope === undefined
      ? []
      : toStrings(scope, 'context.scope').flatMap((value) => value.split(' ').filter((one) => one !== ''));
  context['aud'] = toStrings(aud, 'context.aud');
  return {
    principal: subject.uid,
    context,
    entities: actors.length === 0 ? [subject] : distinct([subject, ...actors]),
  };
}

/** The part that says what is asked for. */
export function buildListItem({ action, resource, context }: Evaluation, options: MappingOptions): ListItem {
  const entity = buildResource(resource, context?.['server'], options.resourceTypes);
  return { action: { type: 'Action', id: action.name }, resource: entity.uid, entities: [entity] };
}

/** Whether the arguments are typed by what the tool says of itself: the context then belongs to this tool alone. */
export function typesArguments({ action, resource, context }: Evaluation): boolean {
  const args = context?.['arguments'];
  if (resource.type !== 'tool' || action.name !== 'tools/call' || args === undefined) return false;
  return (
    resource.properties?.['definition'] !== undefined || resource.properties?.['input_schema'] !== undefined
  );
}

function buildArguments(
  args: Record<string, unknown> | null | undefined,
  evaluation: Evaluation,
  numbers: NumberForm | undefined,
): Record<string, CedarValue> {
  // A question without arguments is about the tool and not about a call: nothing can be missing from it.
  const schema = typesArguments(evaluation) ? describedTool(evaluation.resource).inputSchema : undefined;
  return schema === undefined
    ? toCedarRecord(args ?? {}, 'context.arguments')
    : typeArguments(args ?? {}, schema, numbers);
}

let lastTime = { ms: 0, text: new Date(0).toISOString() };

/** Written down once for all requests of one moment. */
function datetimeOf(ms: number): CedarValue {
  if (ms !== lastTime.ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return { __extn: { fn: 'datetime', arg: lastTime.text } };
}

/** An actor may stand in a chain twice; Cedar takes each entity once. */
function distinct(entities: CedarEntity[]): CedarEntity[] {
  return [
    ...new Map(entities.map((entity) => [JSON.stringify([entity.uid.type, entity.uid.id]), entity])).values(),
  ];
}

function buildOrigin(origin: unknown): Record<string, CedarValue> {
  if (!isObject(origin)) throw new InvalidEvaluation('context.origin', 'must be an object');
  const { ip, ...rest } = origin;
  if (ip === undefined || ip === null) return toCedarRecord(rest, 'context.origin');
  if (typeof ip !== 'string' || !/^[0-9a-f:.]{2,45}$/i.test(ip))
    throw new InvalidEvaluation('context.origin.ip', 'is not an address');
  return { ...toCedarRecord(rest, 'context.origin'), ip: { __extn: { fn: 'ip', arg: ip } } };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
