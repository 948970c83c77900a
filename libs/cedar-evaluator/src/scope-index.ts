import type { Entity } from './entities.js';
import type { EntityUid } from './entity-uid.js';

/** What a policy's head asks of its principal, action or resource. All that is given has to hold; nothing: anything. */
export interface ScopeConstraint {
  readonly equals?: string;
  /** Within one of these, or one of these. */
  readonly within?: readonly string[];
  readonly type?: string;
}

/** A part of the request, and the entity it names when that is known. */
export interface ScopeSubject {
  readonly uid: EntityUid;
  readonly entity: Entity | undefined;
}

/**
 * Things by a constraint of theirs, found by what fits it: looking up costs by how many containers an entity has, and
 * not by how many things there are.
 */
export class ScopeIndex<T> {
  #any: T | undefined;
  readonly #equals = new Map<string, T>();
  readonly #within = new Map<string, T>();
  readonly #ofType = new Map<string, T>();
  readonly #ofTypeWithin = new Map<string, Map<string, T>>();

  constructor(private readonly create: () => T) {}

  /** Everything under a constraint, to be added to; one for each container it names. */
  under({ equals, within, type }: ScopeConstraint): T[] {
    if (equals !== undefined) return [this.#in(this.#equals, equals)];
    if (within !== undefined) {
      const byContainer = type === undefined ? this.#within : this.#withinOf(type);
      return [...new Set(within)].map((container) => this.#in(byContainer, container));
    }
    if (type !== undefined) return [this.#in(this.#ofType, type)];
    return [(this.#any ??= this.create())];
  }

  /** Whatever stands under a constraint that the subject meets. */
  matching({ uid, entity }: ScopeSubject): T[] {
    const found: T[] = [];
    if (this.#any !== undefined) found.push(this.#any);
    if (this.#equals.size > 0) addIfThere(this.#equals.get(uid.key), found);
    if (this.#ofType.size > 0) addIfThere(this.#ofType.get(uid.type), found);
    if (this.#within.size > 0) addContainers(this.#within, uid.key, entity, found);
    const typedWithin = this.#ofTypeWithin.size > 0 ? this.#ofTypeWithin.get(uid.type) : undefined;
    if (typedWithin !== undefined) addContainers(typedWithin, uid.key, entity, found);
    return found;
  }

  #in(map: Map<string, T>, key: string): T {
    let found = map.get(key);
    if (found === undefined) map.set(key, (found = this.create()));
    return found;
  }

  #withinOf(type: string): Map<string, T> {
    let found = this.#ofTypeWithin.get(type);
    if (found === undefined) this.#ofTypeWithin.set(type, (found = new Map()));
    return found;
  }
}

function addContainers<T>(
  byContainer: ReadonlyMap<string, T>,
  key: string,
  entity: Entity | undefined,
  found: T[],
): void {
  addIfThere(byContainer.get(key), found);
  if (entity === undefined) return;
  for (const container of entity.ancestors) addIfThere(byContainer.get(container), found);
}

function addIfThere<T>(one: T | undefined, found: T[]): void {
  if (one !== undefined) found.push(one);
}
