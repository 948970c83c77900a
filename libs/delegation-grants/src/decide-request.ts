import type { DelegationGrant } from '@behalf/contracts';
import type { RecordReader } from '@behalf/ports';
import { DelegationRefusal } from './delegation-refusal.js';
import { makeGrantWithin } from './make-grant.js';
import type { DelegationDependencies } from './ports.js';
import { recordChange } from './record-change.js';
import { type DelegationRequest, requestRecords, toRequest } from './request-records.js';
import { transact } from './transact.js';

/**
 * What a person is asked, shown to that person only.
 *
 * @throws DelegationRefusal `request_unknown`, `request_of_another_person`
 */
export async function findRequestFor(
  records: RecordReader,
  { id, person }: { id: string; person: string },
  nowMs: number,
): Promise<DelegationRequest & { version: number }> {
  const found = await records.get(requestRecords, id);
  if (!found) throw new DelegationRefusal({ kind: 'request_unknown' });
  if (found.value.person !== person) throw new DelegationRefusal({ kind: 'request_of_another_person' });
  return { ...toRequest(found, nowMs), version: found.version };
}

/**
 * Takes the decision of the person a request was made for, once. An approval makes a grant of what was asked, no more,
 * in the same transaction: of two clicks at the same time one decides.
 *
 * @returns the grant; undefined when the person said no
 * @throws DelegationRefusal `request_unknown`, `request_of_another_person`, `request_decided`, `request_expired`, and
 *   what `makeGrant` throws
 */
export async function decideRequest(
  { id, person, isApproved }: { id: string; person: string; isApproved: boolean },
  nowMs: number,
  dependencies: DelegationDependencies,
): Promise<DelegationGrant | undefined> {
  const act = { by: { person }, nowMs };
  const change = isApproved ? 'approve' : 'deny';
  return transact(change, { id }, act, dependencies, async (transaction) => {
    const request = await findRequestFor(transaction, { id, person }, nowMs);
    if (request.state === 'expired') throw new DelegationRefusal({ kind: 'request_expired' });
    if (request.state !== 'pending') throw new DelegationRefusal({ kind: 'request_decided' });
    const { id: _id, state: _state, version, ...asked } = request;
    const { grantLifetimeSeconds: lifetimeSeconds, agent, resource, scopes } = asked;
    const { authorizationDetails, purpose } = asked;
    const grant = isApproved
      ? await makeGrantWithin(
          transaction,
          {
            person,
            agent,
            resource,
            scopes,
            authorizationDetails,
            purpose,
            lifetimeSeconds,
            origin: 'request',
          },
          act,
          dependencies,
        )
      : undefined;
    const decided = grant
      ? { ...asked, state: 'approved' as const, grantId: grant.id }
      : { ...asked, state: 'denied' as const };
    // Kept as long as before: the agent learns of it, and a denied request is not asked again meanwhile.
    const expiresAtMs = asked.expiresAtMs + (asked.expiresAtMs - asked.createdAtMs);
    await transaction.put(requestRecords, id, decided, { expiresAtMs, expectedVersion: version });
    await recordChange(change, { ...asked, id }, act, dependencies);
    return grant;
  });
}
