import type { Entities, Entity } from './entities.js';
import { KeyedEntities } from './keyed-entities.js';
import { type PlainEntity, mergeEntity, readEntity } from './read-entity.js';
import { UnreadableInput } from './unreadable-input.js';

const nothing: ReadonlySet<string> = new Set();
/** Most stores hold what one request brings, and live as long as that. */
const maxScanned = 8;

interface Path {
  readonly key: string;
  readonly within: Path | undefined;
}

/**
 * Entities with everything they are in worked out. A store can lie over another and share it: the one below is read
 * once, however many requests bring entities of their own.
 */
export class EntityStore implements Entities {
  readonly #own = new KeyedEntities<Entity>();
  #containers: Set<string> | undefined;

  private constructor(private readonly below: EntityStore | undefined) {}

  /** @throws UnreadableInput for what is no entity, an entity given twice, or one that is within itself */
  static read(json: readonly unknown[]): EntityStore {
    return EntityStore.#build(
      undefined,
      readDistinct(json, (entity) => entity),
    );
  }

  /**
   * This store and more entities. Where both describe one, this store's attributes win and it has the parents of
   * both: what is below was written by the operator, what comes over it by a caller.
   *
   * @throws UnreadableInput as `read` does
   */
  with(json: readonly unknown[]): EntityStore {
    if (json.length === 0) return this;
    let movesOthers = false;
    const added = readDistinct(json, (entity) => {
      const { key } = entity.uid;
      // A parent for something that entities below are in changes what those are in.
      movesOthers ||= entity.parents.length > 0 && this.#contains(key);
      const known = this.get(key);
      return known === undefined ? entity : mergeEntity(known, entity);
    });
    if (!movesOthers) return EntityStore.#build(this, added);
    const all = new KeyedEntities<PlainEntity>();
    for (const entity of new Map<string, PlainEntity>([...this.#all(), ...keyed(added)]).values())
      all.add(entity);
    return EntityStore.#build(undefined, all);
  }

  get(key: string): Entity | undefined {
    return this.#own.get(key) ?? this.below?.get(key);
  }

  static #build(below: EntityStore | undefined, entities: KeyedEntities<PlainEntity>): EntityStore {
    const store = new EntityStore(below);
    for (const entity of entities.values) store.#place(entity, entities, undefined);
    return store;
  }

  /** @param within the entity whose ancestors are being worked out, and what it is in the same way */
  #place(entity: PlainEntity, entities: KeyedEntities<PlainEntity>, within: Path | undefined): Entity {
    const { key } = entity.uid;
    const placed = this.#own.get(key);
    if (placed !== undefined) return placed;
    for (let on = within; on !== undefined; on = on.within)
      if (on.key === key) throw new UnreadableInput('an entity is within itself');
    const ancestors = entity.parents.length === 0 ? nothing : new Set(entity.parents);
    for (const parent of entity.parents) {
      const own = entities.get(parent);
      const known = own === undefined ? this.below?.get(parent) : this.#place(own, entities, { key, within });
      if (known === undefined) continue;
      for (const ancestor of known.ancestors) (ancestors as Set<string>).add(ancestor);
    }
    const { uid, attributes, tags, parents } = entity;
    const result = { uid, attributes, tags, parents, ancestors };
    this.#own.add(result);
    return result;
  }

  /** Whether something in here is in it. A set of all that things are in is made of large stores only, when first asked. */
  #contains(key: string): boolean {
    const { values } = this.#own;
    if (values.length > maxScanned) {
      this.#containers ??= new Set(values.flatMap(({ ancestors }) => [...ancestors]));
      if (this.#containers.has(key)) return true;
    } else {
      for (const { ancestors } of values) if (ancestors.has(key)) return true;
    }
    return this.below !== undefined && this.below.#contains(key);
  }

  #all(): Map<string, PlainEntity> {
    const below = this.below === undefined ? [] : this.below.#all();
    return new Map<string, PlainEntity>([...below, ...keyed(this.#own)]);
  }
}

function keyed(entities: KeyedEntities<PlainEntity>): [string, PlainEntity][] {
  return entities.values.map((entity) => [entity.uid.key, entity]);
}

/** @param complete what stands for an entity, under the same key */
function readDistinct(
  json: readonly unknown[],
  complete: (entity: PlainEntity) => PlainEntity,
): KeyedEntities<PlainEntity> {
  const entities = new KeyedEntities<PlainEntity>();
  for (const one of json) {
    const entity = readEntity(one);
    if (entities.get(entity.uid.key) !== undefined) throw new UnreadableInput('an entity is given twice');
    entities.add(complete(entity));
  }
  return entities;
}
