import {
  type CreateDelegationGrantRequest,
  type DelegationGrant,
  delegationGrantMade,
  type DelegationGrantOrigin,
  type DelegationGrantRecord,
  delegationGrantRenewed,
} from '@behalf/contracts';
import type { RecordTransaction } from '@behalf/ports';
import { isDeepStrictEqual } from 'node:util';
import { DelegationRefusal } from './delegation-refusal.js';
import { grantRecords, putGrant } from './grant-records.js';
import type { Act, DelegationDependencies } from './ports.js';
import { recordChange } from './record-change.js';
import { transact } from './transact.js';

/** Of one person to one agent at one resource. */
const maxGrants = 50;

/** What is to be granted, by whom it was said. */
export interface WantedGrant extends CreateDelegationGrantRequest {
  origin: DelegationGrantOrigin;
}

/**
 * Lets an agent act for a person at a resource. The same agreed to again is the same grant, lasting longer.
 *
 * Does not check that the person exists, since they may not have signed in yet, nor what the agent may be given at
 * all: its ceiling narrows every exchange.
 *
 * @throws DelegationRefusal `resource_unknown`, `scope_unknown`, `agent_unknown`, `too_many_grants`
 */
export async function makeGrant(
  wanted: WantedGrant,
  act: Act,
  dependencies: DelegationDependencies,
): Promise<DelegationGrant> {
  return transact('make', wanted, act, dependencies, (transaction) =>
    makeGrantWithin(transaction, wanted, act, dependencies),
  );
}

/** The same as part of a transaction. */
export async function makeGrantWithin(
  transaction: RecordTransaction,
  wanted: WantedGrant,
  act: Act,
  dependencies: DelegationDependencies,
): Promise<DelegationGrant> {
  const { nowMs, by } = act;
  const { resource } = checkWanted(wanted, dependencies);
  if (!(await dependencies.findAgent(wanted.agent))) throw new DelegationRefusal({ kind: 'agent_unknown' });
  const { person, agent, scopes, authorizationDetails, purpose, origin } = wanted;
  const record: DelegationGrantRecord = {
    person,
    agent,
    resource,
    scopes: [...new Set(scopes)].sort(),
    authorizationDetails,
    purpose,
    origin,
    madeBy: 'person' in by ? by.person : by.administrator,
    state: 'active',
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    expiresAtMs: nowMs + (wanted.lifetimeSeconds ?? dependencies.grantLifetimeSeconds) * 1000,
  };
  const where = { person, agent, resource, state: 'active' };
  const known = await transaction.list(grantRecords, { where, limit: maxGrants });
  const live = known.filter(({ value }) => value.expiresAtMs > nowMs);
  const same = live.find(({ value }) => isSameGrant(value, record));
  if (!same && live.length === maxGrants) throw new DelegationRefusal({ kind: 'too_many_grants' });
  // Those that are over leave, so that the live ones are never more than are looked at.
  for (const { id, value, version } of known.filter((one) => !live.includes(one)))
    await putGrant(transaction, id, { ...value, state: 'expired' }, version);
  const grant = same
    ? await putGrant(transaction, same.id, { ...record, createdAtMs: same.value.createdAtMs }, same.version)
    : await putGrant(transaction, dependencies.newId(), record, 0);
  const { id, version } = grant;
  await transaction.emit(same ? delegationGrantRenewed : delegationGrantMade, {
    id,
    version,
    agent,
    resource,
  });
  await recordChange(same ? 'renew' : 'make', grant, act, dependencies);
  return grant;
}

/** The resource with its registered identifier. @throws DelegationRefusal */
export function checkWanted(
  { resource: identifier, scopes }: Pick<WantedGrant, 'resource' | 'scopes'>,
  { findResource }: Pick<DelegationDependencies, 'findResource'>,
): { resource: string } {
  const found = findResource(identifier);
  if (!found) throw new DelegationRefusal({ kind: 'resource_unknown' });
  if (scopes.length === 0 || !scopes.every((scope) => found.scopes.includes(scope)))
    throw new DelegationRefusal({ kind: 'scope_unknown' });
  return found;
}

function isSameGrant(one: DelegationGrantRecord, other: DelegationGrantRecord): boolean {
  const what = ({ scopes, authorizationDetails, purpose, origin, madeBy }: DelegationGrantRecord) => ({
    scopes,
    authorizationDetails,
    purpose,
    origin,
    madeBy,
  });
  return isDeepStrictEqual(what(one), what(other));
}
