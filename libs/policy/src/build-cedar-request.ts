import type { Evaluation } from '@behalf/contracts';
import { buildActors } from './build-actors.js';
import { buildResource } from './build-resource.js';
import type { CedarEntity, CedarRequest, CedarValue } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { toCedarRecord } from './to-cedar-value.js';

export interface MappingOptions {
  /** The issuer whose actors are known by `sub` alone; any other issuer's stand under `<iss>#<sub>`. */
  ownIssuer?: string | undefined;
  /** Resource types besides MCP's, and the Cedar type of each. */
  resourceTypes?: Readonly<Record<string, string>> | undefined;
}

/** `identity` is what COAZ-MCP calls a person. */
const subjectTypes = new Set(['user', 'identity']);

/**
 * Puts an AuthZEN evaluation in Cedar's terms:
 *
 * | AuthZEN | Cedar |
 * |---|---|
 * | `subject` of type `user` or `identity` | `User::"id"`; `properties.groups` are its parents `Team::"x"`, the other properties its attributes |
 * | `action.name` | `Action::"name"`, `properties` as `context.action` |
 * | `resource` | see `buildResource` |
 * | `context.actors` | `context.actor` (the current one, optional), `context.actors` (Set<Agent>), `context.depth` |
 * | `context.arguments` | `context.arguments`, typed by `toCedarValue`; an empty record without them |
 * | `context.arguments_unknown: true` | no `context.arguments` at all: the caller saw the call without them, so a policy that reads them errs |
 * | `context.scope`, `context.aud` | Set<String>; empty without them |
 * | any other member of `context` | under its own name |
 *
 * Does not check anything against the schema: arguments are as free as the tools that declare them, so policies are
 * validated against the schema and requests are not. A value of an undeclared type makes a policy err, which denies.
 *
 * @throws InvalidEvaluation when part of it has no faithful Cedar form
 */
export function buildCedarRequest(evaluation: Evaluation, options: MappingOptions = {}): CedarRequest {
  // `actor`, `depth` and `action` are only ever derived: a caller's own would contradict what they are derived from.
  const {
    arguments: args,
    arguments_unknown: unseen,
    actors: chain,
    scope,
    aud,
    actor: _,
    depth: _1,
    action: _2,
    ...rest
  } = evaluation.context ?? {};
  const subject = buildSubject(evaluation.subject);
  const resource = buildResource(evaluation.resource, evaluation.context?.['server'], options.resourceTypes);
  const actors = buildActors(chain, options.ownIssuer);
  if (args !== undefined && args !== null && (typeof args !== 'object' || Array.isArray(args))) {
    throw new InvalidEvaluation('context.arguments', 'must be an object');
  }
  const current = actors[0];
  const context: Record<string, CedarValue> = {
    ...toCedarRecord(rest, 'context'),
    ...(evaluation.action.properties && {
      action: toCedarRecord(evaluation.action.properties, 'action.properties'),
    }),
    ...(current && { actor: { __entity: current.uid } }),
    actors: actors.map((actor) => ({ __entity: actor.uid })),
    depth: actors.length,
    // Left out when nobody has seen them: an empty record would say that there are none, and slip past a forbid.
    ...(unseen !== true && { arguments: toCedarRecord(args ?? {}, 'context.arguments') }),
    scope: toStrings(scope, 'context.scope').flatMap((value) => value.split(' ').filter((one) => one !== '')),
    aud: toStrings(aud, 'context.aud'),
  };
  return {
    principal: subject.uid,
    action: { type: 'Action', id: evaluation.action.name },
    resource: resource.uid,
    context,
    entities: distinct([subject, resource, ...actors]),
  };
}

function buildSubject(subject: Evaluation['subject']): CedarEntity {
  if (!subjectTypes.has(subject.type)) throw new InvalidEvaluation('subject.type', 'is not known');
  const { groups, ...attributes } = subject.properties ?? {};
  return {
    uid: { type: 'User', id: subject.id },
    attrs: toCedarRecord(attributes, 'subject.properties'),
    parents: toStrings(groups, 'subject.properties.groups').map((id) => ({ type: 'Team', id })),
  };
}

/** One string, many, or none. */
function toStrings(value: unknown, path: string): string[] {
  const values: unknown[] =
    value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
  if (!values.every((one) => typeof one === 'string' && one.isWellFormed())) {
    throw new InvalidEvaluation(path, 'must be text or a list of texts');
  }
  return values as string[];
}

/** An actor may stand in a chain twice; Cedar takes each entity once. */
function distinct(entities: CedarEntity[]): CedarEntity[] {
  return [
    ...new Map(entities.map((entity) => [JSON.stringify([entity.uid.type, entity.uid.id]), entity])).values(),
  ];
}
