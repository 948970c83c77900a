import type { EntityUid } from './entity-uid.js';

/** Up to here looking at each is quicker than hashing its key: most requests bring two or three entities. */
const maxUnindexed = 8;

/** Entities by their keys, in the order in which they came. */
export class KeyedEntities<T extends { readonly uid: EntityUid }> {
  readonly #all: T[] = [];
  #byKey: Map<string, T> | undefined;

  get values(): readonly T[] {
    return this.#all;
  }

  get(key: string): T | undefined {
    if (this.#byKey !== undefined) return this.#byKey.get(key);
    for (const one of this.#all) if (one.uid.key === key) return one;
    return undefined;
  }

  /** One whose key is not there yet. */
  add(entity: T): void {
    this.#all.push(entity);
    if (this.#byKey !== undefined) this.#byKey.set(entity.uid.key, entity);
    else if (this.#all.length > maxUnindexed)
      this.#byKey = new Map(this.#all.map((one) => [one.uid.key, one]));
  }
}
