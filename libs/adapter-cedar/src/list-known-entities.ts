import { policySetTextToParts, policyToJson, schemaToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { EntityUid, PolicyBundle } from '@behalf/policy';

export interface KnownNames {
  /** Of the bundle's own entities, of the scopes of its policies and of its links, each once. */
  entities: EntityUid[];
  /** Actions that apply to something, by id; groups of actions are none. */
  actions: string[];
}

/** What a bundle names, for searches. Expects a bundle that was accepted; what cannot be read in it names nothing. */
export function listKnownEntities(bundle: PolicyBundle): KnownNames {
  const found = new Map<string, EntityUid>();
  const add = (uid: EntityUid): void => void found.set(JSON.stringify([uid.type, uid.id]), uid);
  for (const uid of [
    ...uidsOf(bundle.entities),
    ...uidsOf(bundle.links),
    ...bundle.policies.flatMap(({ text }) => scopesOf(text)),
  ])
    add(uid);
  return { entities: [...found.values()], actions: actionsOf(bundle.schema) };
}

/** Parents of entities and attributes that are entities count, too: a team that only has members is known. */
function uidsOf(value: unknown): EntityUid[] {
  if (Array.isArray(value)) return value.flatMap(uidsOf);
  if (typeof value !== 'object' || value === null) return [];
  const { type, id } = value as Record<string, unknown>;
  const own = typeof type === 'string' && typeof id === 'string' ? [{ type, id }] : [];
  return [...own, ...Object.values(value).flatMap(uidsOf)];
}

function scopesOf(text: string): EntityUid[] {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') return [];
  return parts.policies.flatMap((policy) => {
    const answer = policyToJson(policy);
    return answer.type === 'failure' ? [] : uidsOf([answer.json.principal, answer.json.resource]);
  });
}

function actionsOf(schema: string): string[] {
  const answer = schemaToJson(schema);
  if (answer.type === 'failure') return [];
  return Object.values(answer.json).flatMap(({ actions }) =>
    Object.entries(actions).flatMap(([id, action]) => (action.appliesTo ? [id] : [])),
  );
}
