import { OAuthError } from '@behalf/oauth';
import { explainThirdPartyExchange } from './explain-exchange.js';
import { exchangeFixture, now, parameters, subjectClaims } from './exchange.fixture.js';
import type { ExchangeParameters } from './ports.js';
import { client, drive, offer, thirdPartyFixture as fixture, token } from './third-party.fixture.js';

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof OAuthError ? error.code : String(error)),
  );

describe('the explanation of an exchange for a third party', () => {
  const explain = (changes: ExchangeParameters = {}, claims = subjectClaims(), decision = true) => {
    const { dependencies, recorded, asked } = exchangeFixture({ subject: claims });
    const explaining = explainThirdPartyExchange(
      {
        client,
        parameters: { ...parameters, resource: drive.resource, ...changes },
        nowSeconds: now,
      },
      {
        ...dependencies,
        decide: async (evaluation) => {
          asked.push(evaluation);
          return { decision, context: { id: 'decision-1' } };
        },
        findThirdParty: (identifier) => (identifier === drive.resource ? drive : undefined),
      },
    );
    return { explaining, recorded, asked };
  };

  it('says that it is up to the person, asks nobody but policy, and is recorded', async () => {
    const { explaining, recorded, asked } = explain({ scope: 'files.read mcp:tools' });
    expect(await explaining).toMatchObject({ outcome: 'refused', refusal: { error: 'invalid_scope' } });
    expect(asked).toEqual([]);
    expect(recorded).toMatchObject([{ type: 'exchange-explanation', outcome: 'refused' }]);

    const permitted = explain({ scope: 'files.read' });
    expect(await permitted.explaining).toEqual({
      outcome: 'person_decides',
      client: 'gateway',
      person: 'alice',
      actors: ['gateway'],
      audiences: [drive.resource],
      decisionId: 'decision-1',
      scope: {
        terms: [
          { term: 'ceiling', scopes: ['mcp:tools', 'files.read', 'files.write'] },
          { term: `target ${drive.resource}`, scopes: ['files.read', 'files.write'] },
          { term: 'request', scopes: ['files.read'] },
        ],
        left: ['files.read'],
        removed: [
          { scope: 'mcp:tools', by: [`target ${drive.resource}`, 'request'] },
          { scope: 'files.write', by: ['request'] },
        ],
      },
    });
    expect(permitted.asked).toHaveLength(1);
  });

  it.each<[string, ExchangeParameters, ReturnType<typeof subjectClaims>, boolean]>([
    ['policy_denied', {}, subjectClaims(), false],
    ['target_unknown', { resource: 'https://other.example' }, subjectClaims(), true],
    ['subject_key_unproven', {}, subjectClaims({ cnf: { jkt: 'k' } }), true],
  ])('tells a refusal by its rule: %s', async (reason, changes, claims, decision) => {
    const { refusal } = await explain(changes, claims, decision).explaining;
    expect(refusal).toMatchObject({ reason, rule: expect.any(String), see: expect.any(String) });
  });
});

describe('an exchange for a third party', () => {
  it('asks the policy with person, chain, provider and scope, and passes its grant on', async () => {
    const system = fixture();
    expect(await system.exchange()).toEqual({
      access_token: 'drive-token',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 60,
      scope: 'files.read',
    });
    expect(system.asked).toMatchObject([
      {
        subject: { id: 'alice' },
        action: { name: 'exchange' },
        resource: { type: 'audience', id: drive.resource, properties: { provider: 'drive' } },
        context: { actors: [{ sub: 'gateway' }], scope: 'files.read' },
      },
    ]);
    expect(system.asked[0]?.context).not.toHaveProperty('authorization_details');
    expect(system.requests).toMatchObject([
      { person: 'alice', client: 'editor', actors: ['gateway'], decisionGrant: 'grant-1', txn: 'txn-1' },
    ]);
    expect(system.recorded).toMatchObject([
      { type: 'exchange', outcome: 'allowed', decisionId: 'decision-1' },
    ]);
  });

  it('attack: an agent of another issuer is not shown to the person as its namesake here', async () => {
    const act = { sub: 'demo-agent', iss: 'https://elsewhere.example' };
    const system = fixture([token], subjectClaims({ act }));
    await system.exchange();
    expect(system.requests).toMatchObject([{ actors: ['gateway', 'https://elsewhere.example#demo-agent'] }]);
  });

  it('answers interaction_required with where the person decides, and what to come back with', async () => {
    const system = fixture([{ outcome: 'interaction_required', elicitation: offer }]);
    const error = await system.exchange().catch((thrown: OAuthError) => thrown);
    expect((error as OAuthError).toJSON()).toMatchObject({
      error: 'interaction_required',
      interaction_uri: offer.url,
      elicitation_uri: offer.pollUrl,
      request_state: 'sealed',
      expires_in: 900,
      interval: 3,
    });
    expect(system.recorded).toMatchObject([{ outcome: 'refused' }]);
  });

  it('asks for a new decision when the person finished while it waited', async () => {
    const completed = { ...offer, status: 'completed' as const };
    const system = fixture([{ outcome: 'interaction_required', elicitation: completed }, token]);
    await system.exchange({ request_state: 'sealed', wait: '10' });
    expect(system.requests.map(({ decisionGrant, waitSeconds }) => [decisionGrant, waitSeconds])).toEqual([
      ['grant-1', 10],
      ['grant-2', 0],
    ]);
  });

  it('is refused by policy before anybody else is asked', async () => {
    const system = fixture();
    system.dependencies.decide = async () => {
      throw new Error('down');
    };
    expect(await codeOf(system.exchange())).toBe('temporarily_unavailable');
    expect(system.requests).toEqual([]);
  });

  it.each([
    [
      'beyond its ceiling',
      { scope: 'files.read' },
      { audiences: [drive.resource], scopes: ['mcp:tools'] },
      'invalid_scope',
    ],
    ['that the provider does not have', { scope: 'mcp:tools' }, client.ceiling, 'invalid_scope'],
    [
      'at a target beyond its ceiling',
      {},
      { audiences: ['https://other.example'], scopes: ['files.read'] },
      'invalid_target',
    ],
    ['without any ceiling', {}, undefined, 'unauthorized_client'],
  ])('gives a client no scope %s', async (_what, changes, ceiling, code) => {
    const system = fixture();
    expect(await codeOf(system.exchange(changes, { ...client, ceiling }))).toBe(code);
    expect(system.requests).toEqual([]);
  });

  it.each([
    [
      'more than one target',
      { resource: [drive.resource, 'https://gw.example/mcp/files'] },
      'invalid_target',
    ],
    [
      'another kind of token',
      { requested_token_type: 'urn:ietf:params:oauth:token-type:txn_token' },
      'invalid_request',
    ],
    ['half a request', { request_method: 'tools/call' }, 'invalid_request'],
    ['a wait that is no number', { wait: '-1' }, 'invalid_request'],
    ['two states', { request_state: ['a', 'b'] }, 'invalid_request'],
  ])('refuses %s', async (_what, changes, code) => {
    expect(await codeOf(fixture().exchange(changes))).toBe(code);
  });

  it('turns no bound token into one that needs no key', async () => {
    const bound = fixture([token], subjectClaims({ cnf: { jkt: 'a'.repeat(43) } }));
    expect(await codeOf(bound.exchange())).toBe('invalid_request');
    expect(bound.requests).toEqual([]);
  });

  it('passes on why it was refused, and tells an outage from a refusal', async () => {
    const refused = fixture([new OAuthError('access_denied', 'the person declined')]);
    expect(await codeOf(refused.exchange())).toBe('access_denied');
    expect(await codeOf(fixture([]).exchange())).toBe('temporarily_unavailable');
  });

  it('gives no token that could not be recorded', async () => {
    const system = fixture();
    system.dependencies.audit.append = async () => {
      throw new Error('disk full');
    };
    expect(await codeOf(system.exchange())).toBe('temporarily_unavailable');
  });
});
