import type { CompiledPolicy } from './compile-policy.js';
import { type ScopeConstraint, ScopeIndex, type ScopeSubject, meets } from './scope-index.js';

/** Up to here looking at each head is quicker than looking it up. */
const maxUnindexed = 8;

/** Policies about the same action and resource, by their principals. */
export class PolicyBucket {
  readonly #few: CompiledPolicy[] = [];
  /** Theirs, in the same order: equal heads are one object, so that most policies need not be touched. */
  readonly #principals: ScopeConstraint[] = [];
  #many: ScopeIndex<CompiledPolicy[]> | undefined;

  add(policy: CompiledPolicy): void {
    if (this.#many !== undefined) return addTo(this.#many, policy);
    this.#few.push(policy);
    this.#principals.push(policy.principal);
    if (this.#few.length <= maxUnindexed) return;
    this.#many = new ScopeIndex<CompiledPolicy[]>(() => []);
    for (const one of this.#few) addTo(this.#many, one);
  }

  /** Adds each policy whose principal this is. */
  addApplicable(principal: ScopeSubject, applicable: CompiledPolicy[]): void {
    if (this.#many === undefined) {
      for (let place = 0; place < this.#principals.length; place++)
        if (meets(principal, this.#principals[place]!)) applicable.push(this.#few[place]!);
      return;
    }
    const lists: CompiledPolicy[][] = [];
    this.#many.addMatching(principal, lists);
    for (const list of lists) for (const policy of list) applicable.push(policy);
  }
}

function addTo(index: ScopeIndex<CompiledPolicy[]>, policy: CompiledPolicy): void {
  for (const list of index.under(policy.principal)) list.push(policy);
}
