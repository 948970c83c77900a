import type { DelegationGrant } from '@behalf/contracts';
import type { AuthorizationDetail } from '@behalf/oauth';
import { isWithinDetails } from '@behalf/oauth';
import type { RecordReader } from '@behalf/ports';
import { grantRecords, toGrant } from './grant-records.js';

/** What an agent wants to do for a person. */
export interface GrantQuestion {
  person: string;
  agent: string;
  /** By its registered identifier. */
  resource: string;
  /** All of these have to be granted. */
  requiredScopes?: readonly string[] | undefined;
  /** Without `requiredScopes`: the more of these the better, and one at least. */
  usefulScopes?: readonly string[] | undefined;
  authorizationDetails?: readonly AuthorizationDetail[] | undefined;
}

/**
 * The one grant by which an agent may act; undefined when there is none.
 *
 * Grants are never added up: a person who agreed to reading for one purpose and to writing for another has not agreed
 * to both at once. Of several that will do it is the one that gives most, then the one that lasts longest.
 */
export async function findGrant(
  records: RecordReader,
  question: GrantQuestion,
  nowMs: number,
): Promise<DelegationGrant | undefined> {
  const { person, agent, resource } = question;
  const found = await records.list(grantRecords, { where: { person, agent, resource, state: 'active' } });
  const [best] = found
    .map((record) => toGrant(record, nowMs))
    .filter((grant) => grant.state === 'active' && allows(grant, question))
    .sort((one, other) => use(other, question) - use(one, question) || other.expiresAtMs - one.expiresAtMs);
  return best;
}

function allows(grant: DelegationGrant, question: GrantQuestion): boolean {
  const { requiredScopes, authorizationDetails = [] } = question;
  const hasScopes = requiredScopes
    ? requiredScopes.every((scope) => grant.scopes.includes(scope))
    : use(grant, question) > 0;
  return (
    hasScopes && authorizationDetails.every((detail) => isWithinDetails(detail, grant.authorizationDetails))
  );
}

function use({ scopes }: DelegationGrant, { usefulScopes = scopes }: GrantQuestion): number {
  return usefulScopes.filter((scope) => scopes.includes(scope)).length;
}
