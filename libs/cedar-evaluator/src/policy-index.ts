import type { CompiledPolicy } from './compile-policy.js';
import { PolicyBucket } from './policy-bucket.js';
import { ScopeIndex, type ScopeSubject } from './scope-index.js';

export interface RequestScope {
  readonly principal: ScopeSubject;
  readonly action: ScopeSubject;
  readonly resource: ScopeSubject;
}

type ByResource = ScopeIndex<PolicyBucket>;

/**
 * Policies by action, then resource, then principal. Finds exactly those whose heads the request meets, so that policies
 * about other things cost nothing.
 */
export class PolicyIndex {
  readonly #byAction = new ScopeIndex<ByResource>(
    () => new ScopeIndex<PolicyBucket>(() => new PolicyBucket()),
  );
  /** One that names several actions stands in several places, and groups of actions may overlap. */
  readonly #mayOverlap: boolean;

  constructor(policies: readonly CompiledPolicy[]) {
    this.#mayOverlap = policies.some(({ action }) => action.within !== undefined && action.within.length > 1);
    for (const policy of policies) {
      for (const byResource of this.#byAction.under(policy.action))
        for (const bucket of byResource.under(policy.resource)) bucket.add(policy);
    }
  }

  /** Each policy that applies, once. */
  applicable({ principal, action, resource }: RequestScope): CompiledPolicy[] {
    const byResources: ByResource[] = [];
    this.#byAction.addMatching(action, byResources);
    const buckets: PolicyBucket[] = [];
    for (const byResource of byResources) byResource.addMatching(resource, buckets);
    const applicable: CompiledPolicy[] = [];
    for (const bucket of buckets) bucket.addApplicable(principal, applicable);
    return this.#mayOverlap ? [...new Set(applicable)] : applicable;
  }
}
