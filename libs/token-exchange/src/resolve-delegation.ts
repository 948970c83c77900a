import { type AuthorizationDetail, OAuthError, type ScopeSet } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { DelegationGrant, DelegationQuery, ExchangeDependencies, ExchangeTarget } from './ports.js';

/**
 * The delegation grant that an exchange at this target stands on; undefined where policy alone decides.
 *
 * Where a grant is needed and there is none, or it lacks what was asked for by name, the person is asked: the refusal
 * carries where. Does not narrow anything: that is what the grant is returned for.
 *
 * @throws ExchangeRefusal
 */
export async function resolveDelegation(
  target: ExchangeTarget,
  wanted: {
    query: DelegationQuery;
    scope: ScopeSet;
    authorizationDetails: readonly AuthorizationDetail[];
    /** True when the request named its scope: then less than that is not what it asked for. */
    isScopeNamed: boolean;
  },
  {
    findDelegationGrant,
    requestDelegation,
  }: Pick<ExchangeDependencies, 'findDelegationGrant' | 'requestDelegation'>,
): Promise<DelegationGrant | undefined> {
  if (target.delegation !== 'grant') return undefined;
  const { query, scope, authorizationDetails } = wanted;
  const unavailable = (cause: unknown): never => {
    // A person who said no is no part that failed.
    if (cause instanceof OAuthError) throw new ExchangeRefusal({ kind: 'delegation_refused', error: cause });
    throw new ExchangeRefusal({ kind: 'delegation_unavailable', cause });
  };
  const grant = await findDelegationGrant?.({
    ...query,
    scopes: [...scope],
    isScopeNamed: wanted.isScopeNamed,
  }).catch(unavailable);
  if (grant && grant.expiresAtSeconds > query.nowSeconds) {
    const granted = scope.intersect(grant.scopes);
    if (wanted.isScopeNamed ? granted.size === scope.size : granted.size > 0) return grant;
  }
  const pending = await requestDelegation?.({ ...query, scopes: [...scope], authorizationDetails }).catch(
    unavailable,
  );
  throw new ExchangeRefusal({ kind: 'delegation_missing', pending });
}
