import type { Entities, Entity } from './entities.js';
import { type PlainEntity, mergeEntity, readEntity } from './read-entity.js';
import { UnreadableInput } from './unreadable-input.js';

const nothing: ReadonlySet<string> = new Set();

interface Path {
  readonly key: string;
  readonly within: Path | undefined;
}

/**
 * Entities with everything they are in worked out. A store can lie over another and share it: the one below is read
 * once, however many requests bring entities of their own.
 */
export class EntityStore implements Entities {
  readonly #own = new Map<string, Entity>();
  #containers: Set<string> | undefined;

  private constructor(private readonly below: EntityStore | undefined) {}

  /** @throws UnreadableInput for what is no entity, an entity given twice, or one that is within itself */
  static read(json: readonly unknown[]): EntityStore {
    return EntityStore.#build(undefined, readDistinct(json));
  }

  /**
   * This store and more entities. Where both describe one, this store's attributes win and it has the parents of
   * both: what is below was written by the operator, what comes over it by a caller.
   *
   * @throws UnreadableInput as `read` does
   */
  with(json: readonly unknown[]): EntityStore {
    if (json.length === 0) return this;
    const added = readDistinct(json);
    let movesOthers = false;
    for (const [key, entity] of added) {
      const known = this.get(key);
      if (known !== undefined) added.set(key, mergeEntity(known, entity));
      // A parent for something that entities below are in changes what those are in.
      movesOthers ||= entity.parents.length > 0 && this.#contains(key);
    }
    if (!movesOthers) return EntityStore.#build(this, added);
    return EntityStore.#build(undefined, new Map<string, PlainEntity>([...this.#all(), ...added]));
  }

  get(key: string): Entity | undefined {
    return this.#own.get(key) ?? this.below?.get(key);
  }

  static #build(below: EntityStore | undefined, entities: ReadonlyMap<string, PlainEntity>): EntityStore {
    const store = new EntityStore(below);
    for (const [key, entity] of entities) store.#place(key, entity, entities, undefined);
    return store;
  }

  /** @param within the entity whose ancestors are being worked out, and what it is in the same way */
  #place(
    key: string,
    entity: PlainEntity,
    entities: ReadonlyMap<string, PlainEntity>,
    within: Path | undefined,
  ): Entity {
    const placed = this.#own.get(key);
    if (placed !== undefined) return placed;
    for (let on = within; on !== undefined; on = on.within)
      if (on.key === key) throw new UnreadableInput('an entity is within itself');
    const ancestors = entity.parents.length === 0 ? nothing : new Set(entity.parents);
    for (const parent of entity.parents) {
      const own = entities.get(parent);
      const known =
        own === undefined ? this.below?.get(parent) : this.#place(parent, own, entities, { key, within });
      if (known === undefined) continue;
      for (const ancestor of known.ancestors) (ancestors as Set<string>).add(ancestor);
    }
    const { uid, attributes, tags, parents } = entity;
    const result = { uid, attributes, tags, parents, ancestors };
    this.#own.set(key, result);
    return result;
  }

  /** Whether something in here is in it. Worked out when first asked: most stores live for one request and are not. */
  #contains(key: string): boolean {
    this.#containers ??= new Set([...this.#own.values()].flatMap(({ ancestors }) => [...ancestors]));
    if (this.#containers.has(key)) return true;
    return this.below !== undefined && this.below.#contains(key);
  }

  #all(): Map<string, PlainEntity> {
    const below = this.below === undefined ? [] : this.below.#all();
    return new Map<string, PlainEntity>([...below, ...this.#own]);
  }
}

function readDistinct(json: readonly unknown[]): Map<string, PlainEntity> {
  const entities = new Map<string, PlainEntity>();
  for (const one of json) {
    const entity = readEntity(one);
    if (entities.has(entity.uid.key)) throw new UnreadableInput('an entity is given twice');
    entities.set(entity.uid.key, entity);
  }
  return entities;
}
