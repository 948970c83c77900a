import type { AuthorizationDetail } from '@behalf/oauth';
import { isDeepStrictEqual } from 'node:util';
import { DelegationRefusal } from './delegation-refusal.js';
import { checkWanted } from './make-grant.js';
import type { DelegationDependencies } from './ports.js';
import { recordChange } from './record-change.js';
import {
  type DelegationRequest,
  requestLifetimeSeconds,
  requestRecords,
  toRequest,
} from './request-records.js';
import { transact } from './transact.js';

/** Of one agent for one person. More are no longer read by anybody. */
const maxPending = 5;

export interface WantedDelegation {
  person: string;
  agent: string;
  resource: string;
  scopes: readonly string[];
  authorizationDetails?: readonly AuthorizationDetail[] | undefined;
}

/**
 * Asks a person to let an agent act for them. The same asked again while it waits is the same request, so that an agent
 * in a loop does not make links by the hundred; and what the person has just said no to is not asked again.
 *
 * Does not check that the agent has anything to do with the person: the caller has verified a token of theirs.
 *
 * @throws DelegationRefusal `agent_unknown`, `resource_unknown`, `scope_unknown`, `person_denied`, `too_many_requests`
 */
export async function requestDelegation(
  wanted: WantedDelegation,
  nowMs: number,
  dependencies: DelegationDependencies,
): Promise<DelegationRequest> {
  const { person, agent } = wanted;
  const act = { by: { person }, nowMs };
  return transact('ask', { ...wanted }, act, dependencies, async (transaction) => {
    const { resource } = checkWanted({ ...wanted, scopes: [...wanted.scopes] }, dependencies);
    const found = await dependencies.findAgent(agent);
    if (!found) throw new DelegationRefusal({ kind: 'agent_unknown' });
    const scopes = [...new Set(wanted.scopes)].sort();
    const authorizationDetails = [...(wanted.authorizationDetails ?? [])];
    const known = (await transaction.list(requestRecords, { where: { person, agent } }))
      .map((record) => toRequest(record, nowMs))
      .filter((request) => request.expiresAtMs > nowMs);
    const same = known.find(
      (request) =>
        request.resource === resource &&
        request.state !== 'approved' &&
        isDeepStrictEqual(
          [request.scopes, request.authorizationDetails, request.purpose],
          [scopes, authorizationDetails, found.purpose ?? ''],
        ),
    );
    if (same?.state === 'denied') throw new DelegationRefusal({ kind: 'person_denied' });
    if (same) return same;
    if (known.filter(({ state }) => state === 'pending').length >= maxPending)
      throw new DelegationRefusal({ kind: 'too_many_requests' });

    const id = dependencies.newId();
    const record = {
      person,
      agent,
      resource,
      scopes,
      authorizationDetails,
      purpose: found.purpose ?? '',
      grantLifetimeSeconds: dependencies.grantLifetimeSeconds,
      state: 'pending' as const,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + requestLifetimeSeconds * 1000,
    };
    const keptUntilMs = record.expiresAtMs + requestLifetimeSeconds * 1000;
    await transaction.put(requestRecords, id, record, { expiresAtMs: keptUntilMs, expectedVersion: 0 });
    await recordChange('ask', { ...record, id }, act, dependencies);
    return { ...record, id };
  });
}
