import type { CompiledPolicy } from './compile-policy.js';
import { ScopeIndex, type ScopeSubject } from './scope-index.js';

export interface RequestScope {
  readonly principal: ScopeSubject;
  readonly action: ScopeSubject;
  readonly resource: ScopeSubject;
}

type ByPrincipal = ScopeIndex<CompiledPolicy[]>;
type ByResource = ScopeIndex<ByPrincipal>;

/**
 * Policies by action, then resource, then principal. Finds exactly those whose heads the request meets, so a head is
 * never evaluated, and policies about other things cost nothing.
 */
export class PolicyIndex {
  readonly #byAction = new ScopeIndex<ByResource>(
    () => new ScopeIndex<ByPrincipal>(() => new ScopeIndex<CompiledPolicy[]>(() => [])),
  );

  constructor(policies: readonly CompiledPolicy[]) {
    for (const policy of policies) {
      for (const byResource of this.#byAction.under(policy.action))
        for (const byPrincipal of byResource.under(policy.resource))
          for (const list of byPrincipal.under(policy.principal)) list.push(policy);
    }
  }

  /** Each policy that applies, once. */
  applicable({ principal, action, resource }: RequestScope): CompiledPolicy[] {
    const applicable: CompiledPolicy[] = [];
    let overlapping = false;
    for (const byResource of this.#byAction.matching(action)) {
      for (const byPrincipal of byResource.matching(resource)) {
        for (const policies of byPrincipal.matching(principal)) {
          for (const policy of policies) {
            applicable.push(policy);
            overlapping ||= policy.action.within !== undefined && policy.action.within.length > 1;
          }
        }
      }
    }
    // One that names several actions stands in several places, and groups of actions may overlap.
    return overlapping ? [...new Set(applicable)] : applicable;
  }
}
