import { ScopeSet } from '@behalf/oauth';
import { narrowScope } from './narrow-scope.js';
import type { ThirdPartyTarget } from './third-party-ports.js';

/**
 * The scope at a third party: within what the client may carry and what is configured there; what is asked for, or the
 * defaults. The subject token's own scope is of another world. What takes its place is the word of the person, whom the
 * elicitation service asks for exactly these. A third party without scopes has one thing to give.
 *
 * @throws ExchangeRefusal
 */
export function narrowThirdPartyScope(
  requested: string | undefined,
  ceiling: Iterable<string>,
  { scopes, defaultScopes }: Pick<ThirdPartyTarget, 'scopes' | 'defaultScopes'>,
): ScopeSet {
  if (scopes.length === 0 && requested === undefined) return new ScopeSet([]);
  const targets = [requested === undefined ? defaultScopes : scopes];
  return narrowScope(requested, { subject: undefined, ceiling, targets });
}
