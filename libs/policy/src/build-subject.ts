import type { Evaluation } from '@behalf/contracts';
import type { CedarEntity } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { toCedarRecord } from './to-cedar-value.js';
import { toStrings } from './to-strings.js';

/** `identity` is what COAZ-MCP calls a person. */
const subjectTypes = new Map([
  ['user', 'User'],
  ['identity', 'User'],
  // An agent that acts for itself.
  ['agent', 'Agent'],
]);

const notAttributes = new Set(['groups']);

/**
 * The person as an entity, or the agent that acts for itself: `properties.groups` are the teams, the other properties attributes. `properties.claims` are
 * claims of a token: `personAttributes` says which of them become which attribute, and `groups` among the attributes
 * names the teams. A claim that is not mapped is dropped, so that no provider can set an attribute by adding a claim;
 * a mapped claim wins over a property of that name.
 *
 * @throws InvalidEvaluation
 */
export function buildSubject(
  subject: Evaluation['subject'],
  personAttributes: Readonly<Record<string, string>> = {},
): CedarEntity {
  const type = subjectTypes.get(subject.type);
  if (type === undefined) throw new InvalidEvaluation('subject.type', 'is not known');
  const given = withMappedClaims(subject.properties ?? {}, personAttributes);
  const attrs = toCedarRecord(given, 'subject.properties', notAttributes);
  if (type === 'Agent') attrs['sub'] = subject.id;
  return {
    uid: { type, id: subject.id },
    attrs,
    parents: toStrings(given['groups'], 'subject.properties.groups').map((id) => ({ type: 'Team', id })),
  };
}

type Properties = NonNullable<Evaluation['subject']['properties']>;

function withMappedClaims(
  properties: Properties,
  personAttributes: Readonly<Record<string, string>>,
): Properties {
  if (properties['claims'] === undefined) return properties;
  const { claims, ...others } = properties;
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
    throw new InvalidEvaluation('subject.properties.claims', 'must be an object');
  const mapped = Object.entries(personAttributes).flatMap(([claim, attribute]) =>
    Object.hasOwn(claims, claim) ? [[attribute, claims[claim]]] : [],
  );
  return { ...others, ...Object.fromEntries(mapped) } as Properties;
}
