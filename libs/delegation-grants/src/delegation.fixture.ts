import { MemoryOneTimeStore, MemoryRecordStore } from '@behalf/adapter-memory';
import type { AuditRecord } from '@behalf/audit';
import type { DelegationGrant } from '@behalf/contracts';
import { FakeClock } from '@behalf/testing';
import { makeGrant, type WantedGrant } from './make-grant.js';
import type { Act, DelegateAgent, DelegationDependencies, GrantRevocation } from './ports.js';
import { requestDelegation, type WantedDelegation } from './request-delegation.js';

export const files = 'https://files.example/mcp';
export const mail = 'https://mail.example/mcp';
export const reporter: DelegateAgent = {
  clientId: 'reporter',
  name: 'Reporter',
  owner: 'ops@example.com',
  purpose: 'Writes the weekly report',
};

/** Delegations in memory. `revoked` holds what was revoked in transactions that committed. */
export function delegationFixture() {
  const clock = new FakeClock();
  const records = new MemoryRecordStore(clock);
  const revoked: GrantRevocation[] = [];
  const audit: AuditRecord[] = [];
  const agents = new Map([reporter, { clientId: 'other', name: 'Other' }].map((one) => [one.clientId, one]));
  let ids = 0;
  const dependencies: DelegationDependencies = {
    records,
    oneTime: new MemoryOneTimeStore(clock),
    newId: () => `id-${(ids += 1)}`,
    grantLifetimeSeconds: 3600,
    findResource: (identifier) =>
      [files, mail]
        .filter((resource) => resource === identifier.toLowerCase())
        .map((resource) => ({ resource, scopes: ['read', 'write', 'list'] }))[0],
    findAgent: async (clientId) => agents.get(clientId),
    revoke: async (_transaction, revocation) => void revoked.push(revocation),
    audit: async (record) => void audit.push(record),
  };
  const operator = (): Act => ({ by: { administrator: 'operator' }, nowMs: clock.nowMs() });
  const alice = (): Act => ({ by: { person: 'alice' }, nowMs: clock.nowMs() });
  return {
    clock,
    records,
    revoked,
    audit,
    agents,
    dependencies,
    operator,
    alice,
    events: () => records.outbox.map(({ type }) => type.split('.').at(-1)),
    make: (changes: Partial<WantedGrant> = {}, act: Act = operator()): Promise<DelegationGrant> =>
      makeGrant(
        {
          person: 'alice',
          agent: 'reporter',
          resource: files,
          scopes: ['read'],
          authorizationDetails: [],
          purpose: 'Reports',
          origin: 'administrator',
          ...changes,
        },
        act,
        dependencies,
      ),
    ask: (changes: Partial<WantedDelegation> = {}) =>
      requestDelegation(
        { person: 'alice', agent: 'reporter', resource: files, scopes: ['read'], ...changes },
        clock.nowMs(),
        dependencies,
      ),
  };
}
