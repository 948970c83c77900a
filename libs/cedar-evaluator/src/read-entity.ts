import type { Entity } from './entities.js';
import { EntityUid } from './entity-uid.js';
import { readRecord } from './read-value.js';
import { UnreadableInput } from './unreadable-input.js';
import type { Value } from './value.js';

/** An entity as it is written: what its parents are in is not known yet. */
export type PlainEntity = Omit<Entity, 'ancestors'>;

const none: ReadonlyMap<string, Value> = new Map();

/** @throws UnreadableInput */
export function readEntity(json: unknown): PlainEntity {
  const { uid, attrs, parents, tags } = (json ?? {}) as Record<string, unknown>;
  if (!Array.isArray(parents)) throw new UnreadableInput('an entity lacks parents');
  return {
    uid: EntityUid.read(uid),
    attributes: readRecord(attrs),
    tags: tags === undefined ? none : readRecord(tags),
    parents: parents.map((parent) => EntityUid.read(parent).key),
  };
}

/**
 * One entity from two descriptions: it has the parents of both, and where both know an attribute or tag, that of
 * `stronger`.
 */
export function mergeEntity(stronger: PlainEntity, weaker: PlainEntity): PlainEntity {
  return {
    uid: stronger.uid,
    attributes: new Map([...weaker.attributes, ...stronger.attributes]),
    tags: new Map([...weaker.tags, ...stronger.tags]),
    parents: [...stronger.parents, ...weaker.parents],
  };
}
