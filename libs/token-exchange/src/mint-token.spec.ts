import { tokenTypes } from '@behalf/oauth';
import {
  clientWith,
  exchangeFixture,
  gatewayClient,
  gatewayResource,
  now,
  parameters,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { policyVersionOf } from './exchange-trace.js';
import { mintToken } from './mint-token.js';
import type { ExchangeDependencies, ExchangeRequest, MintedToken } from './ports.js';

async function mint(
  changes: Partial<ExchangeRequest> = {},
  dependencies: ExchangeDependencies = exchangeFixture().dependencies,
): Promise<MintedToken> {
  const outcome = await mintToken(
    { client: gatewayClient, parameters, nowSeconds: now, ...changes },
    dependencies,
  );
  if (outcome instanceof ExchangeRefusal) throw outcome;
  return outcome;
}

describe('a minted token', () => {
  it('keeps when it was issued, when it expires, and the answer without a time that would grow old', async () => {
    expect(await mint()).toMatchObject({
      issuedAtSeconds: now,
      expiresAtSeconds: now + 300,
      delegations: [],
    });
    expect((await mint()).response).toEqual({
      issued_token_type: tokenTypes.accessToken,
      token_type: 'Bearer',
      scope: 'mcp:tools files:write',
    });
  });

  it('is tied to itself, its subject token and its actor token, by what each can be revoked by', async () => {
    const actor = subjectClaims({ sub: 'gateway', client_id: 'gateway', jti: 'actor-jti', txn: undefined });
    const { dependencies } = exchangeFixture({ subject: subjectClaims({ act: { sub: 'agent' } }), actor });
    const form = { ...parameters, actor_token: 'actor', actor_token_type: tokenTypes.accessToken };
    const { ties } = await mint({ parameters: form }, dependencies);
    const person = { sub: 'alice', grant_id: 'grant-1', sid: 'session-1', txn: 'txn-1' };
    expect(ties).toEqual([
      {
        ...person,
        jti: 'id-1',
        client_id: 'gateway',
        lineage: ['root-jti'],
        act: { sub: 'gateway', act: { sub: 'agent' } },
        iat: now,
      },
      { ...person, jti: 'root-jti', client_id: 'editor', act: { sub: 'agent' } },
      {
        jti: 'actor-jti',
        sub: 'gateway',
        client_id: 'gateway',
        grant_id: 'grant-1',
        sid: 'session-1',
      },
    ]);
  });

  it('keeps the grant that it stands on, and how it was found, but for the moment', async () => {
    const { dependencies } = exchangeFixture();
    const { findTarget } = dependencies;
    Object.assign(dependencies, {
      findTarget: (id: string) => ({ ...findTarget(id), delegation: 'grant' }),
      findDelegationGrant: async () => ({
        id: 'd-1',
        scopes: ['mcp:tools'],
        authorizationDetails: [],
        expiresAtSeconds: now + 60,
      }),
    });
    const minted = await mint({}, dependencies);
    expect(minted.delegations).toStrictEqual([
      {
        grantId: 'd-1',
        need: {
          person: 'alice',
          agent: 'gateway',
          resource: upstreamResource,
          scopes: ['mcp:tools', 'files:write'],
          isScopeNamed: false,
          authorizationDetails: [],
        },
      },
    ]);
    expect(minted.record.details).toMatchObject({ delegations: ['d-1'], scope: 'mcp:tools' });
  });

  it.each<[string, (string | undefined)[], string | undefined]>([
    ['their version, where it is one', ['v1', 'v1'], 'v1'],
    ['none, where policies changed meanwhile', ['v1', 'v2'], undefined],
    ['none, where it is not known', [undefined, undefined], undefined],
  ])('says of the policies that permitted it %s', async (_title, versions, expected) => {
    const { dependencies } = exchangeFixture();
    const answers = versions.values();
    dependencies.decide = async () => ({
      decision: true,
      context: { id: 'd', policy_version: answers.next().value! },
    });
    const two = { ...parameters, audience: gatewayResource };
    const client = clientWith({ audiences: ['https://*'], maxTargets: 2 });
    expect((await mint({ parameters: two, client }, dependencies)).policyVersion).toBe(expected);
  });

  it('was permitted by no policies of a known version before any were asked', () => {
    expect(policyVersionOf({})).toBeUndefined();
  });
});

describe('an exchange that is refused half-way', () => {
  it('is recorded with all that was known by then', async () => {
    const { dependencies } = exchangeFixture({ subject: subjectClaims({ act: { sub: 'agent' } }) });
    dependencies.decide = async () => ({ decision: false, context: { id: 'decision-2' } });
    const outcome = await mintToken(
      { client: gatewayClient, parameters, nowSeconds: now, traceId: 'trace-1' },
      dependencies,
    );
    expect(outcome).toMatchObject({
      name: 'ExchangeRefusal',
      message: 'policy_denied',
      reason: { kind: 'policy_denied', decisionId: 'decision-2' },
    });
    expect(outcome.record).toStrictEqual({
      type: 'exchange',
      outcome: 'refused',
      occurredAtMs: now * 1000,
      client: 'gateway',
      person: 'alice',
      actors: ['gateway', 'agent'],
      decisionId: 'decision-2',
      traceId: 'trace-1',
      details: {
        profile: 'delegation',
        audience: upstreamResource,
        txn: 'txn-1',
        reason: 'policy_denied',
      },
    });
  });

  it('is recorded with next to nothing where nothing was known', async () => {
    const outcome = await mintToken(
      { client: gatewayClient, parameters: {}, nowSeconds: now },
      exchangeFixture().dependencies,
    );
    expect(outcome.record).toStrictEqual({
      type: 'exchange',
      outcome: 'refused',
      occurredAtMs: now * 1000,
      client: 'gateway',
      person: undefined,
      actors: [],
      decisionId: undefined,
      traceId: undefined,
      details: { reason: 'parameter_missing' },
    });
  });
});
