import { type AuditRecord, hashLeaf } from '@behalf/audit';
import { events } from '@behalf/contracts';
import { canonicalJson } from '@behalf/i-json';
import { activityOf } from './index.js';

const origin = 'as.example/audit';
const who = { client: 'agent', person: 'alice', actors: ['agent'], decisionId: 'd1', traceId: 't1' };
const tell = (record: Omit<AuditRecord, 'occurredAtMs'>, index = 7) =>
  activityOf(canonicalJson({ occurredAtMs: 1_000, ...record }), index, origin);

describe('a record of the audit log as an event', () => {
  it.each<[string, Omit<AuditRecord, 'occurredAtMs'>, object]>([
    [
      'behalf.token.exchanged',
      {
        ...who,
        type: 'exchange',
        outcome: 'allowed',
        details: {
          profile: 'delegation',
          audience: 'https://a',
          scope: 'x',
          txn: 't',
          delegations: ['g'],
          tookMicros: 9,
        },
      },
      { ...who, profile: 'delegation', audience: 'https://a', scope: 'x', txn: 't', grants: ['g'] },
    ],
    [
      'behalf.token.refused',
      { ...who, type: 'exchange', outcome: 'refused', details: { reason: 'policy_denied' } },
      { ...who, request: 'token_exchange', reason: 'policy_denied' },
    ],
    [
      'behalf.token.issued',
      { client: 'agent', type: 'client-credentials', outcome: 'allowed', details: { audience: 'https://a' } },
      { client: 'agent', request: 'client_credentials', audience: 'https://a', isAssertion: false },
    ],
    [
      'behalf.token.issued',
      { ...who, type: 'id-jag', outcome: 'allowed', details: { audience: 'https://other' } },
      { ...who, request: 'token_exchange', audience: 'https://other', isAssertion: true },
    ],
    [
      'behalf.token.issued',
      { ...who, type: 'id-jag-redemption', outcome: 'allowed', details: { issuer: 'https://idp' } },
      { ...who, request: 'identity_assertion', isAssertion: false },
    ],
    [
      'behalf.token.issued',
      {
        client: 'app',
        person: 'alice',
        type: 'token',
        outcome: 'allowed',
        details: { grant_type: 'refresh_token', grant_id: 'g1', scope: 'x' },
      },
      {
        client: 'app',
        person: 'alice',
        request: 'refresh_token',
        grantId: 'g1',
        scope: 'x',
        isAssertion: false,
      },
    ],
    [
      'behalf.client.registered',
      { client: 'app', type: 'registration', outcome: 'allowed' },
      { client: 'app' },
    ],
    [
      'behalf.decision.made',
      {
        ...who,
        type: 'decision',
        outcome: 'refused',
        details: {
          action: 'tools/call',
          resourceType: 'tool',
          resource: 'x',
          server: 's',
          reason: 'forbidden',
          policies: ['p'],
          errors: [],
          policyVersion: 'v',
          tookMicros: 3,
        },
      },
      {
        ...who,
        isPermitted: false,
        action: 'tools/call',
        resourceType: 'tool',
        resource: 'x',
        server: 's',
        reason: 'forbidden',
        policies: ['p'],
        errors: [],
        policyVersion: 'v',
      },
    ],
  ])('is %s', (type, record, data) => {
    const told = tell(record)!;
    const parsed = JSON.parse(JSON.stringify(told.envelope)) as typeof told.envelope;
    const hash = hashLeaf(canonicalJson({ occurredAtMs: 1_000, ...record })).toString('base64url');
    expect(parsed).toEqual({ id: `${origin}/7/${hash}`, type, sequence: 7, occurredAtMs: 1_000, data });
    expect(events).toContain(told.contract);
    expect(told.contract.data.parse(parsed.data)).toEqual(data);
    expect(told.contract.subject?.(parsed.data)).toBe(type === 'behalf.decision.made' ? 'd1' : record.client);
  });

  it.each([
    'revocation',
    'agent-change',
    'delegation',
    'elicitation',
    'sign-in',
    'exchange-explanation',
    'anything new',
  ])('is none of a type that another event tells, or nobody is told: %s', (type) =>
    expect(tell({ type, outcome: 'allowed', details: { grant_type: 'refresh_token' } })).toBeUndefined(),
  );

  it('says of details what its contract names, and nothing else that a record may have', () => {
    const planted = {
      arguments: 'planted',
      token: 'planted',
      tookMicros: 1,
      audience: { url: 'planted' },
      reason: ['planted'],
    };
    for (const type of ['exchange', 'decision', 'client-credentials', 'registration', 'token'])
      for (const outcome of ['allowed', 'refused'] as const)
        expect(JSON.stringify(tell({ type, outcome, details: planted }) ?? '')).not.toContain('planted');
  });

  it('is another where another leaf is, or at another place', () => {
    const ids = [
      tell({ type: 'decision', outcome: 'allowed' }, 7),
      tell({ type: 'decision', outcome: 'refused' }, 7),
      tell({ type: 'decision', outcome: 'allowed' }, 8),
    ];
    expect(new Set(ids.map((told) => told?.envelope.id)).size).toBe(3);
  });

  it.each(['', '{', '{"type":"exchange"}', '[]'])('is no record: %s', (leaf) =>
    expect(() => activityOf(leaf, 0, origin)).toThrow(),
  );
});
