import type { ActClaim } from '@behalf/oauth';
import type { ExchangeProfile } from './choose-profile.js';
import type { ScopeBounds } from './narrow-scope.js';
import type { FoundDelegation } from './resolve-delegations.js';
import type { SubjectToken, TokenClaims } from './ports.js';

/** What is known of an exchange so far: a refusal half-way is recorded, and explained, with all of it. */
export interface ExchangeTrace {
  subject?: SubjectToken;
  profile?: ExchangeProfile;
  act?: ActClaim | undefined;
  audiences?: string[];
  scopeBounds?: ScopeBounds;
  requestedScope?: string | undefined;
  actor?: TokenClaims | undefined;
  delegations?: FoundDelegation[];
  decisionId?: string | undefined;
  /** What was granted in the end. */
  scope?: string | undefined;
  /** The versions of the policies that decided. */
  policyVersions?: Set<string | undefined>;
}

/** The version of the policies that decided; undefined when that is not known, or when they were of several. */
export function policyVersionOf({ policyVersions = new Set() }: ExchangeTrace): string | undefined {
  const [version, ...others] = policyVersions;
  return others.length === 0 ? version : undefined;
}
