import { ScopeSet } from '@behalf/oauth';
import { narrowScope, type ScopeBounds } from './narrow-scope.js';
import type { ThirdPartyTarget } from './third-party-ports.js';

/**
 * What bounds the scope at a third party: what the client may carry and what is configured there, or its defaults where
 * the request names none. The subject token's own scope is of another world. What takes its place is the word of the
 * person, whom the elicitation service asks for exactly these.
 */
export function thirdPartyScopeBounds(
  requested: string | undefined,
  ceiling: Iterable<string>,
  { scopes, defaultScopes }: Pick<ThirdPartyTarget, 'scopes' | 'defaultScopes'>,
): ScopeBounds {
  return { subject: undefined, ceiling, targets: [requested === undefined ? defaultScopes : scopes] };
}

/**
 * The scope at a third party, within its bounds. A third party without scopes has one thing to give.
 *
 * @throws ExchangeRefusal
 */
export function narrowThirdPartyScope(
  requested: string | undefined,
  bounds: ScopeBounds,
  { scopes }: Pick<ThirdPartyTarget, 'scopes'>,
): ScopeSet {
  return scopes.length === 0 && requested === undefined ? new ScopeSet([]) : narrowScope(requested, bounds);
}
