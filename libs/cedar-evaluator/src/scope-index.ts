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

  /** Calls `visit` with whatever stands under a constraint that the subject meets. */
  visit({ uid, entity }: ScopeSubject, visit: (found: T) => void): void {
    if (this.#any !== undefined) visit(this.#any);
    const named = this.#equals.get(uid.key);
    if (named !== undefined) visit(named);
    const typed = this.#ofType.get(uid.type);
    if (typed !== undefined) visit(typed);
    visitContainers(this.#within, uid.key, entity, visit);
    const typedWithin = this.#ofTypeWithin.get(uid.type);
    if (typedWithin !== undefined) visitContainers(typedWithin, uid.key, entity, visit);
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

function visitContainers<T>(
  byContainer: ReadonlyMap<string, T>,
  key: string,
  entity: Entity | undefined,
  visit: (found: T) => void,
): void {
  if (byContainer.size === 0) return;
  const self = byContainer.get(key);
  if (self !== undefined) visit(self);
  if (entity === undefined) return;
  for (const container of entity.ancestors) {
    const found = byContainer.get(container);
    if (found !== undefined) visit(found);
  }
}
