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

  /** Calls `visit` once with each policy that applies. */
  visit({ principal, action, resource }: RequestScope, visit: (policy: CompiledPolicy) => void): void {
    let seen: Set<CompiledPolicy> | undefined;
    const visitOnce = (policy: CompiledPolicy): void => {
      // One that names several actions stands in several places, and groups of actions may overlap.
      if ((policy.action.within?.length ?? 0) > 1) {
        if (seen?.has(policy)) return;
        (seen ??= new Set()).add(policy);
      }
      visit(policy);
    };
    this.#byAction.visit(action, (byResource) =>
      byResource.visit(resource, (byPrincipal) =>
        byPrincipal.visit(principal, (policies) => policies.forEach(visitOnce)),
      ),
    );
  }
}
