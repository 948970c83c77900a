import { type AuthorizationDetail, isWithinDetails, OAuthError, type ScopeSet } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type {
  DelegationGrant,
  DelegationNeed,
  DelegationQuery,
  ExchangeDependencies,
  ExchangeTarget,
} from './ports.js';

/** A delegation grant, and what it was found by. */
export interface FoundDelegation {
  grant: DelegationGrant;
  need: DelegationNeed;
}

interface Wanted {
  query: Omit<DelegationQuery, 'resource'>;
  scope: ScopeSet;
  authorizationDetails: readonly AuthorizationDetail[];
  /** True when the request named its scope: then less than that is not what it asked for. */
  isScopeNamed: boolean;
  /** The same for its authorization details. */
  areDetailsNamed: boolean;
}

/**
 * The delegation grants that an exchange at these targets stands on; none where policy alone decides.
 *
 * Where a grant is needed and there is none, or it lacks what was asked for by name, the person is asked: the refusal
 * carries where. Does not narrow anything: that is what the grants are returned for.
 *
 * @throws ExchangeRefusal
 */
export async function resolveDelegations(
  targets: readonly ExchangeTarget[],
  wanted: Wanted,
  dependencies: Pick<ExchangeDependencies, 'findDelegationGrant' | 'requestDelegation'>,
): Promise<FoundDelegation[]> {
  const grants: FoundDelegation[] = [];
  for (const { resource, delegation } of targets) {
    if (delegation === 'grant') grants.push(await resolveDelegation(resource, wanted, dependencies));
  }
  return grants;
}

async function resolveDelegation(
  resource: string,
  { query: asked, scope, authorizationDetails, isScopeNamed, areDetailsNamed }: Wanted,
  {
    findDelegationGrant,
    requestDelegation,
  }: Pick<ExchangeDependencies, 'findDelegationGrant' | 'requestDelegation'>,
): Promise<FoundDelegation> {
  const query = { ...asked, resource };
  const unavailable = (cause: unknown): never => {
    // A person who said no is no part that failed.
    if (cause instanceof OAuthError) throw new ExchangeRefusal({ kind: 'delegation_refused', error: cause });
    throw new ExchangeRefusal({ kind: 'delegation_unavailable', cause });
  };
  const named = areDetailsNamed ? authorizationDetails : [];
  const need = { ...query, scopes: [...scope], isScopeNamed, authorizationDetails: named };
  const grant = await findDelegationGrant?.(need).catch(unavailable);
  if (grant && grant.expiresAtSeconds > query.nowSeconds) {
    const granted = scope.intersect(grant.scopes);
    const hasScope = isScopeNamed ? granted.size === scope.size : granted.size > 0;
    const hasDetails = named.every((detail) => isWithinDetails(detail, grant.authorizationDetails));
    if (hasScope && hasDetails) return { grant, need };
  }
  const pending = await requestDelegation?.({ ...query, scopes: [...scope], authorizationDetails }).catch(
    unavailable,
  );
  throw new ExchangeRefusal({ kind: 'delegation_missing', pending });
}
