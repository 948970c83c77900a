import { type AuthorizationDetail, OAuthError, parseScope, ScopeSet } from '@behalf/oauth';
import { coversAudience, type ExchangeCeiling } from '@behalf/token-exchange';
import type { IdJagClaims } from './id-jag-claims.js';
import { IdJagRefusal } from './id-jag-refusal.js';
import type { RedeemDependencies, RedeemRequest } from './redeem-ports.js';

/**
 * The one resource: what is asked for, if the assertion is for it, or what the assertion is for.
 *
 * @throws IdJagRefusal
 */
export function selectTarget(
  { client, resource }: RedeemRequest,
  claims: IdJagClaims,
  { findTarget }: RedeemDependencies,
): NonNullable<ReturnType<RedeemDependencies['findTarget']>> {
  const asserted = [claims.resource ?? []].flat();
  const identifier = resource ?? asserted[0];
  if (identifier === undefined || (resource === undefined && asserted.length > 1))
    throw new IdJagRefusal({ kind: 'resource_missing' });
  const target = findTarget(identifier);
  if (!target) throw new IdJagRefusal({ kind: 'resource_unknown' });
  // However each spells it.
  const isAsserted = asserted.some((one) => findTarget(one)?.resource === target.resource);
  if (asserted.length > 0 && !isAsserted) throw new IdJagRefusal({ kind: 'resource_not_in_assertion' });
  if (client.ceiling && !coversAudience(client.ceiling.audiences, target.resource))
    throw new IdJagRefusal({ kind: 'resource_beyond_ceiling' });
  return target;
}

/**
 * What is asked for, of what the assertion, the resource and the client's ceiling all have.
 *
 * @throws IdJagRefusal
 */
export function narrowScope(
  { client, scope }: RedeemRequest,
  claims: IdJagClaims,
  target: { scopes: readonly string[]; defaultScopes: readonly string[] },
): ScopeSet {
  try {
    const asserted = claims.scope === undefined ? target.defaultScopes : parseScope(claims.scope);
    const known = new ScopeSet(target.scopes).intersect(asserted);
    const allowed = client.ceiling ? known.intersect(client.ceiling.scopes) : known;
    const narrowed = scope === undefined ? allowed : allowed.intersect(parseScope(scope));
    if (narrowed.size > 0) return narrowed;
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
  }
  throw new IdJagRefusal({ kind: 'no_scope_left' });
}

/**
 * The authorization details of the assertion, whole: what of them a client could do without is not known here.
 *
 * @throws IdJagRefusal for a type beyond an agent's ceiling
 */
export function checkDetails(
  { authorization_details: details }: IdJagClaims,
  ceiling: ExchangeCeiling | undefined,
): AuthorizationDetail[] | undefined {
  const types = ceiling && (ceiling.authorizationDetailsTypes ?? []);
  if (types && details?.some(({ type }) => !types.includes(type)))
    throw new IdJagRefusal({ kind: 'authorization_details_beyond_ceiling' });
  return details;
}
