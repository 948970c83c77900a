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
  const { claims, ...properties } = subject.properties ?? {};
  if (claims !== undefined && (typeof claims !== 'object' || claims === null || Array.isArray(claims)))
    throw new InvalidEvaluation('subject.properties.claims', 'must be an object');
  const mapped = Object.entries(personAttributes).flatMap(([claim, attribute]) =>
    claims !== undefined && Object.hasOwn(claims, claim) ? [[attribute, claims[claim]]] : [],
  );
  const { groups, ...attributes } = { ...properties, ...Object.fromEntries(mapped) } as typeof properties;
  return {
    uid: { type, id: subject.id },
    attrs: toCedarRecord(
      type === 'Agent' ? { ...attributes, sub: subject.id } : attributes,
      'subject.properties',
    ),
    parents: toStrings(groups, 'subject.properties.groups').map((id) => ({ type: 'Team', id })),
  };
}
