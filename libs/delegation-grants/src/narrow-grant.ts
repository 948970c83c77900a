import {
  type DelegationGrant,
  delegationGrantNarrowed,
  type NarrowDelegationGrantRequest,
} from '@behalf/contracts';
import { isWithinDetails } from '@behalf/oauth';
import { changeGrant, type Target } from './change-grant.js';
import { DelegationRefusal } from './delegation-refusal.js';
import type { Act, DelegationDependencies } from './ports.js';

/**
 * Takes something out of a grant. Tokens that were issued before end at once, since they may carry what is gone; the
 * agent gets others by what is left.
 *
 * @throws DelegationRefusal `grant_unknown`, `grant_over`, `not_narrower`, `lifetime_over`, `version_conflict`
 */
export async function narrowGrant(
  target: Target,
  changes: NarrowDelegationGrantRequest,
  act: Act,
  dependencies: DelegationDependencies,
): Promise<DelegationGrant> {
  const { nowMs } = act;
  const decide = async (
    grant: DelegationGrant,
    transaction: Parameters<DelegationDependencies['revoke']>[0],
  ) => {
    if (grant.state !== 'active') throw new DelegationRefusal({ kind: 'grant_over' });
    const {
      scopes = grant.scopes,
      authorizationDetails = grant.authorizationDetails,
      expiresAtMs = grant.expiresAtMs,
    } = changes;
    const isNarrower =
      scopes.every((scope) => grant.scopes.includes(scope)) &&
      authorizationDetails.every((detail) => isWithinDetails(detail, grant.authorizationDetails)) &&
      expiresAtMs <= grant.expiresAtMs;
    if (!isNarrower) throw new DelegationRefusal({ kind: 'not_narrower' });
    if (expiresAtMs <= nowMs) throw new DelegationRefusal({ kind: 'lifetime_over' });
    await dependencies.revoke(transaction, { id: grant.id, revokedAtMs: nowMs, issuedUntilMs: nowMs });
    return { scopes, authorizationDetails, expiresAtMs };
  };
  return changeGrant('narrow', target, act, dependencies, decide, delegationGrantNarrowed);
}
