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

/** Whether a subject is what a constraint asks for. */
export function meets({ uid, entity }: ScopeSubject, { equals, within, type }: ScopeConstraint): boolean {
  if (equals !== undefined) return uid.key === equals;
  if (type !== undefined && uid.type !== type) return false;
  if (within === undefined) return true;
  for (const container of within) if (container === uid.key || entity?.ancestors.has(container)) return true;
  return false;
}

/**
 * Things by a constraint of theirs, found by what fits it: looking up costs by how many containers an entity has, and
 * not by how many things there are.
 */
export class ScopeIndex<T> {
  // Each map when it is first needed: of thousands of indexes most use one, and what is not there is not looked up.
  #any: T | undefined;
  #equals: Map<string, T> | undefined;
  #within: Map<string, T> | undefined;
  #ofType: Map<string, T> | undefined;
  #ofTypeWithin: Map<string, Map<string, T>> | undefined;

  constructor(private readonly create: () => T) {}

  /** Everything under a constraint, to be added to; one for each container it names. */
  under({ equals, within, type }: ScopeConstraint): T[] {
    if (equals !== undefined) return [this.#in((this.#equals ??= new Map()), equals)];
    if (within !== undefined) {
      const byContainer = type === undefined ? (this.#within ??= new Map()) : this.#withinOf(type);
      return [...new Set(within)].map((container) => this.#in(byContainer, container));
    }
    if (type !== undefined) return [this.#in((this.#ofType ??= new Map()), type)];
    return [(this.#any ??= this.create())];
  }

  /** Adds whatever stands under a constraint that the subject meets. */
  addMatching({ uid, entity }: ScopeSubject, found: T[]): void {
    if (this.#any !== undefined) found.push(this.#any);
    if (this.#equals !== undefined) addIfThere(this.#equals.get(uid.key), found);
    if (this.#ofType !== undefined) addIfThere(this.#ofType.get(uid.type), found);
    if (this.#within !== undefined) addContainers(this.#within, uid.key, entity, found);
    const typedWithin = this.#ofTypeWithin?.get(uid.type);
    if (typedWithin !== undefined) addContainers(typedWithin, uid.key, entity, found);
  }

  #in(map: Map<string, T>, key: string): T {
    let found = map.get(key);
    if (found === undefined) map.set(key, (found = this.create()));
    return found;
  }

  #withinOf(type: string): Map<string, T> {
    this.#ofTypeWithin ??= new Map();
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
