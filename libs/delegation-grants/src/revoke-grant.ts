import { type DelegationGrant, delegationGrantRevoked } from '@behalf/contracts';
import { changeGrant, type Target } from './change-grant.js';
import type { Act, DelegationDependencies } from './ports.js';

/**
 * Ends a grant and every token that stands on it, however far it was exchanged. Revoking twice is revoking once, and
 * an expired grant can be revoked: its last tokens may still be alive.
 *
 * @throws DelegationRefusal `grant_unknown`, `version_conflict`
 */
export async function revokeGrant(
  target: Target,
  act: Act,
  dependencies: DelegationDependencies,
): Promise<DelegationGrant> {
  const { by, nowMs } = act;
  return changeGrant(
    'revoke',
    target,
    act,
    dependencies,
    async (grant, transaction) => {
      if (grant.state === 'revoked') return undefined;
      await dependencies.revoke(transaction, { id: grant.id, revokedAtMs: nowMs });
      return { state: 'revoked', endedBy: 'person' in by ? by.person : by.administrator };
    },
    delegationGrantRevoked,
  );
}
