import type { Entities, Entity } from './entities.js';
import { type PlainEntity, mergeEntity, readEntity } from './read-entity.js';
import { UnreadableInput } from './unreadable-input.js';

const nothing: ReadonlySet<string> = new Set();

/**
 * Entities with everything they are in worked out. A store can lie over another and share it: the one below is read
 * once, however many requests bring entities of their own.
 */
export class EntityStore implements Entities {
  readonly #own = new Map<string, Entity>();
  /** Keys that something in here is in. */
  readonly #containers = new Set<string>();

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
    for (const [key, entity] of added) {
      const known = this.get(key);
      if (known !== undefined) added.set(key, mergeEntity(known, entity));
    }
    // A parent for something that entities below are in changes what those are in.
    const movesOthers = [...added].some(([key, entity]) => entity.parents.length > 0 && this.#contains(key));
    if (!movesOthers) return EntityStore.#build(this, added);
    return EntityStore.#build(undefined, new Map<string, PlainEntity>([...this.#all(), ...added]));
  }

  get(key: string): Entity | undefined {
    return this.#own.get(key) ?? this.below?.get(key);
  }

  static #build(below: EntityStore | undefined, entities: ReadonlyMap<string, PlainEntity>): EntityStore {
    const store = new EntityStore(below);
    const open = new Set<string>();
    const ancestorsOf = (key: string): ReadonlySet<string> => {
      const entity = entities.get(key);
      if (entity === undefined) return below?.get(key)?.ancestors ?? nothing;
      const known = store.#own.get(key);
      if (known !== undefined) return known.ancestors;
      if (open.has(key)) throw new UnreadableInput('an entity is within itself');
      open.add(key);
      const ancestors = new Set(entity.parents);
      for (const parent of entity.parents)
        for (const ancestor of ancestorsOf(parent)) ancestors.add(ancestor);
      open.delete(key);
      store.#own.set(key, { ...entity, ancestors });
      for (const ancestor of ancestors) store.#containers.add(ancestor);
      return ancestors;
    };
    for (const key of entities.keys()) ancestorsOf(key);
    return store;
  }

  #contains(key: string): boolean {
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
