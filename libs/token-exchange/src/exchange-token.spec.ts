import { OAuthError, tokenTypes } from '@behalf/oauth';
import {
  exchangeFixture,
  gatewayClient,
  gatewayResource,
  issuer,
  now,
  subjectClaims,
  upstreamResource,
} from './exchange.fixture.js';
import type { ExchangeParameters, RequestingClient, TokenClaims } from './ports.js';

describe('exchangeToken', () => {
  it('RFC 8693 §4.1: keeps the person as sub and makes the client the current actor', async () => {
    expect(await exchangeFixture().issued()).toEqual({
      typ: 'at+jwt',
      iss: issuer,
      sub: 'alice',
      aud: upstreamResource,
      client_id: 'gateway',
      scope: 'mcp:tools files:write',
      act: { sub: 'gateway' },
      iat: now,
      exp: now + 300,
      jti: 'id-1',
      txn: 'txn-1',
      lineage: ['root-jti'],
      grant_id: 'grant-1',
      sid: 'session-1',
      groups: ['eng'],
    });
  });

  it('RFC 8693 §4.1: nests earlier actors under the current one, in order', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims({ act: { sub: 'b', act: { sub: 'a' } } }) });
    expect((await fixture.issued()).act).toEqual({ sub: 'gateway', act: { sub: 'b', act: { sub: 'a' } } });
  });

  it('RFC 8693 §2.2.1: answers with the true token type, lifetime and scope', async () => {
    expect(await exchangeFixture().exchange({ scope: 'mcp:tools' })).toMatchObject({
      issued_token_type: tokenTypes.accessToken,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'mcp:tools',
    });
  });

  it('RFC 6749 §3.2: takes a parameter without a value as one that was left out, in a list, too', async () => {
    const empty = {
      scope: '',
      audience: '',
      actor_token: '',
      actor_token_type: '',
      requested_token_type: '',
    };
    const issued = await exchangeFixture().issued({ ...empty, resource: ['', upstreamResource, ''] });
    expect(issued).toMatchObject({ aud: upstreamResource, scope: 'mcp:tools files:write' });
    const fixture = exchangeFixture();
    await expect(fixture.exchange({ resource: '', audience: [''] })).rejects.toMatchObject({
      code: 'invalid_target',
    });
    expect(fixture.recorded).toMatchObject([{ details: { reason: 'target_missing' } }]);
  });

  it('lets a client present a token that was issued to it', async () => {
    const fixture = exchangeFixture({
      subject: subjectClaims({ aud: 'https://other.example', client_id: 'gateway' }),
    });
    expect((await fixture.issued()).act).toEqual({ sub: 'gateway' });
  });

  it('lets a client that may_act names present a token, and nobody else', async () => {
    const named = (may_act: unknown) =>
      exchangeFixture({ subject: subjectClaims({ aud: 'https://other.example', may_act }) });
    expect((await named({ sub: 'gateway' }).issued()).sub).toBe('alice');
    for (const mayAct of [
      { sub: 'other' },
      { sub: 'gateway', client_id: 'other' },
      { sub: 'gateway', iss: 'https://evil.example' },
      { sub: 'gateway', iss: null },
      { sub: 'gateway', client_id: null },
      'gateway',
      {},
    ]) {
      await expect(named(mayAct).exchange()).rejects.toMatchObject({ code: 'invalid_request' });
    }
    // may_act binds even where the audience alone would do.
    const addressed = exchangeFixture({ subject: subjectClaims({ may_act: { sub: 'other' } }) });
    await expect(addressed.exchange()).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('takes the client’s own token as actor token and never outlives it', async () => {
    const actor = subjectClaims({ sub: 'gateway', client_id: 'gateway', exp: now + 60 });
    const fixture = exchangeFixture({ subject: subjectClaims(), actor });
    const issued = await fixture.issued({ actor_token: 'actor', actor_token_type: tokenTypes.accessToken });
    expect(issued).toMatchObject({ act: { sub: 'gateway' }, exp: now + 60 });
  });

  it('takes a ceiling on depth and lifetime as a further limit, never as a wider one', async () => {
    const withLimits = (limits: object): RequestingClient => ({
      ...gatewayClient,
      ceiling: { ...gatewayClient.ceiling!, ...limits },
    });
    const issued = (limits: object, subject: Partial<TokenClaims> = {}) =>
      exchangeFixture({ subject: subjectClaims(subject) }).issued({}, withLimits(limits));
    expect((await issued({ maxLifetimeSeconds: 60 })).exp).toBe(now + 60);
    expect((await issued({ maxLifetimeSeconds: 6000 })).exp).toBe(now + 300);
    expect((await issued({ maxChainDepth: 2 }, { act: { sub: 'agent' } })).act).toMatchObject({ act: {} });
    await expect(issued({ maxChainDepth: 9 }, { act: deep })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('asks policy with the person, the whole chain, the target and the narrowed scope', async () => {
    const fixture = exchangeFixture({ subject: subjectClaims({ act: { sub: 'agent' } }) });
    await fixture.exchange({ scope: 'mcp:tools' });
    expect(fixture.asked).toStrictEqual([
      {
        subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
        action: { name: 'exchange' },
        resource: { type: 'audience', id: upstreamResource },
        context: {
          actors: [{ sub: 'gateway' }, { sub: 'agent' }],
          client_id: 'gateway',
          scope: 'mcp:tools',
          aud: gatewayResource,
        },
      },
    ]);
  });

  it('tells policy, and the audit log, of actors of other issuers whose they are: a namesake is somebody else', async () => {
    const act = { sub: 'demo-agent', iss: 'https://elsewhere.example' };
    const fixture = exchangeFixture({ subject: subjectClaims({ act }) });
    await fixture.exchange();
    expect(fixture.asked).toMatchObject([{ context: { actors: [{ sub: 'gateway' }, act] } }]);
    expect(fixture.recorded).toMatchObject([{ actors: ['gateway', 'https://elsewhere.example#demo-agent'] }]);
  });

  it('records what was allowed and what was refused, with the reason, before it answers', async () => {
    const fixture = exchangeFixture();
    await fixture.exchange();
    await expect(fixture.exchange({ scope: 'admin' })).rejects.toBeInstanceOf(OAuthError);
    expect(fixture.recorded).toMatchObject([
      {
        type: 'exchange',
        outcome: 'allowed',
        person: 'alice',
        client: 'gateway',
        actors: ['gateway'],
        decisionId: 'decision-1',
      },
      {
        type: 'exchange',
        outcome: 'refused',
        person: 'alice',
        details: { reason: 'scope_beyond_authority' },
      },
    ]);
    expect(JSON.stringify(fixture.recorded)).not.toContain('"subject"');
    for (const { details } of fixture.recorded) expect(details).not.toHaveProperty('cached');
  });

  it('does not issue what it cannot record', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.audit.append = async () => Promise.reject(new Error('disk full'));
    await expect(fixture.exchange()).rejects.toMatchObject({
      code: 'temporarily_unavailable',
      retryAfterSeconds: 2,
    });
  });

  it('refuses when policy says no, and when policy says nothing', async () => {
    const denied = exchangeFixture();
    denied.dependencies.decide = async () => ({ decision: false, context: { id: 'd' } });
    await expect(denied.exchange()).rejects.toMatchObject({ code: 'invalid_target' });
    const silent = exchangeFixture();
    silent.dependencies.decide = async () => Promise.reject(new Error('timeout'));
    await expect(silent.exchange()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });

  it('RFC 6749 §5.2: names the parameter whose token type it does not take', async () => {
    for (const name of ['actor_token_type', 'requested_token_type']) {
      const changes = { actor_token: 'subject', actor_token_type: tokenTypes.accessToken };
      await expect(
        exchangeFixture().exchange({ ...changes, [name]: tokenTypes.refreshToken }),
      ).rejects.toMatchObject({ code: 'invalid_request', description: `${name} is not supported` });
    }
  });

  it('tells "cannot be checked" from "invalid"', async () => {
    const fixture = exchangeFixture();
    fixture.dependencies.verifyAccessToken = async () =>
      Promise.reject(new OAuthError('temporarily_unavailable', 'no keys'));
    await expect(fixture.exchange()).rejects.toMatchObject({ code: 'temporarily_unavailable' });
  });
});

const publicClient: RequestingClient = { ...gatewayClient, isConfidential: false };
const noCeiling: RequestingClient = { ...gatewayClient, ceiling: undefined };
const emptyCeiling: RequestingClient = {
  ...gatewayClient,
  ceiling: { audiences: [upstreamResource], scopes: [] },
};
const otherAudience: RequestingClient = {
  ...gatewayClient,
  ceiling: { audiences: ['https://elsewhere.example/*'], scopes: ['mcp:tools'] },
};
const shallow: RequestingClient = {
  ...gatewayClient,
  ceiling: { ...gatewayClient.ceiling!, maxChainDepth: 2 },
};
const stranger: RequestingClient = { ...gatewayClient, clientId: 'stranger' };
const deep = { sub: '5', act: { sub: '4', act: { sub: '3', act: { sub: '2', act: { sub: '1' } } } } };
const actorParameters = { actor_token: 'actor', actor_token_type: tokenTypes.accessToken };

describe.each<
  [
    string,
    string,
    string,
    ExchangeParameters,
    Partial<TokenClaims>?,
    RequestingClient?,
    Partial<TokenClaims>?,
  ]
>([
  ['RFC 8693 §2.1: no subject_token', 'invalid_request', 'parameter_missing', { subject_token: undefined }],
  [
    'RFC 6749 §3.2: an empty subject_token counts as none',
    'invalid_request',
    'parameter_missing',
    { subject_token: '' },
  ],
  [
    'RFC 8693 §2.1: no subject_token_type',
    'invalid_request',
    'parameter_missing',
    { subject_token_type: undefined },
  ],
  [
    'an id_token passed as subject',
    'invalid_request',
    'token_type_unsupported',
    { subject_token_type: tokenTypes.idToken },
  ],
  [
    'RFC 8693 §2.1: actor_token without its type',
    'invalid_request',
    'parameter_missing',
    { actor_token: 'actor' },
  ],
  [
    'RFC 8693 §2.1: actor_token_type without actor_token',
    'invalid_request',
    'actor_token_type_without_actor_token',
    { actor_token_type: tokenTypes.accessToken },
  ],
  [
    'a requested_token_type that is not issued is never substituted',
    'invalid_request',
    'token_type_unsupported',
    { requested_token_type: tokenTypes.refreshToken },
  ],
  [
    'RFC 6749 §3.2: subject_token twice',
    'invalid_request',
    'parameter_repeated',
    { subject_token: ['subject', 'subject'] },
  ],
  ['scope twice', 'invalid_request', 'parameter_repeated', { scope: ['mcp:tools', 'files:write'] }],
  ['a public client', 'unauthorized_client', 'client_is_public', {}, {}, publicClient],
  ['a client without a ceiling', 'unauthorized_client', 'client_may_not_exchange', {}, {}, noCeiling],
  [
    'RFC 8693 §2.2.2: an invalid subject token is invalid_request',
    'invalid_request',
    'subject_token_invalid',
    { subject_token: 'forged' },
  ],
  [
    'a bound subject token never comes out unbound',
    'invalid_request',
    'subject_key_unproven',
    {},
    { cnf: { jkt: 'x' } },
  ],
  ['a token that stands for no person', 'invalid_request', 'subject_is_no_person', {}, { sub: 'editor' }],
  [
    'confused deputy: a token of and for somebody else',
    'invalid_request',
    'subject_token_not_for_client',
    {},
    {},
    stranger,
  ],
  [
    'confused deputy: a token for an unknown audience',
    'invalid_request',
    'subject_token_not_for_client',
    {},
    { aud: 'https://elsewhere.example' },
  ],
  [
    'an invalid actor token',
    'invalid_request',
    'actor_token_invalid',
    { ...actorParameters, actor_token: 'forged' },
  ],
  [
    'another client’s actor token',
    'invalid_request',
    'actor_is_not_client',
    actorParameters,
    {},
    undefined,
    { sub: 'other', client_id: 'other' },
  ],
  [
    'a person’s token as actor token',
    'invalid_request',
    'actor_is_not_client',
    actorParameters,
    {},
    undefined,
    { sub: 'bob', client_id: 'gateway' },
  ],
  [
    'an actor token in the name of the client that another client got',
    'invalid_request',
    'actor_is_not_client',
    actorParameters,
    {},
    undefined,
    { sub: 'gateway', client_id: 'other' },
  ],
  [
    'an actor token with a chain of its own',
    'invalid_request',
    'actor_is_not_client',
    actorParameters,
    {},
    undefined,
    { act: { sub: 'x' } },
  ],
  [
    'a bound actor token',
    'invalid_request',
    'actor_key_unproven',
    actorParameters,
    {},
    undefined,
    { cnf: { jkt: 'x' } },
  ],
  ['an expired actor', 'invalid_request', 'no_lifetime_left', actorParameters, {}, undefined, { exp: now }],
  ['depth bomb: a sixth actor', 'invalid_request', 'chain_too_deep', {}, { act: deep }],
  [
    'an actor more than the ceiling of the client lets it be',
    'invalid_request',
    'chain_too_deep',
    {},
    { act: { sub: '2', act: { sub: '1' } } },
    shallow,
  ],
  ['a chain over 4 KB', 'invalid_request', 'chain_too_large', {}, { act: { sub: 'x'.repeat(4096) } }],
  ['RFC 8707 §2: no target', 'invalid_target', 'target_missing', { resource: undefined }],
  ['several targets', 'invalid_target', 'several_targets', { resource: [upstreamResource, gatewayResource] }],
  ['resource and audience that differ', 'invalid_target', 'several_targets', { audience: gatewayResource }],
  [
    'RFC 8693 §2.2.2: an unknown target',
    'invalid_target',
    'target_unknown',
    { resource: 'https://unknown.example' },
  ],
  ['a target beyond the ceiling', 'invalid_target', 'target_beyond_ceiling', {}, {}, otherAudience],
  ['a scope the person did not give', 'invalid_scope', 'scope_beyond_authority', { scope: 'mail:send' }],
  ['scope smuggling by case', 'invalid_scope', 'scope_beyond_authority', { scope: 'MCP:tools' }],
  ['scope smuggling by a tab', 'invalid_scope', 'scope_malformed', { scope: 'mcp:tools\tfiles:write' }],
  ['scope smuggling by Unicode', 'invalid_scope', 'scope_malformed', { scope: 'mcp:tools\u00a0files:write' }],
  ['an empty ceiling denies all', 'invalid_scope', 'no_scope_left', {}, {}, emptyCeiling],
  ['a subject token without scope', 'invalid_scope', 'no_scope_left', {}, { scope: '' }],
  ['a subject token in its last moment', 'invalid_request', 'no_lifetime_left', {}, { exp: now }],
])(
  'exchangeToken refuses %s',
  (_title, code, reason, changes, subject = {}, client = gatewayClient, actor = {}) => {
    it(`with ${code}, recorded as ${reason}`, async () => {
      const fixture = exchangeFixture({
        subject: subjectClaims(subject),
        actor: subjectClaims({ sub: 'gateway', client_id: 'gateway', ...actor }),
      });
      await expect(fixture.exchange(changes, client)).rejects.toMatchObject({ name: 'OAuthError', code });
      expect(fixture.recorded).toMatchObject([{ outcome: 'refused', details: { reason } }]);
    });
  },
);

it('RFC 8693 §2.2.2: nobody learns from the answer what is wrong with a subject token', async () => {
  const deepest = { sub: '5', act: { sub: '4', act: { sub: '3', act: { sub: '2', act: { sub: '1' } } } } };
  const faults: Partial<TokenClaims>[] = [
    { cnf: {} },
    { sub: 'editor' },
    { aud: 'https://elsewhere.example' },
    { may_act: { sub: 'x' } },
    { act: deepest },
    { exp: now },
  ];
  const answers = await Promise.all(
    faults.map((fault) =>
      exchangeFixture({ subject: subjectClaims(fault) })
        .exchange()
        .then(
          () => 'issued',
          (error: OAuthError) => JSON.stringify([error.status, error.toJSON()]),
        ),
    ),
  );
  const forged = await exchangeFixture()
    .exchange({ subject_token: 'forged' })
    .catch((error: OAuthError) => JSON.stringify([error.status, error.toJSON()]));
  expect(new Set([...answers, forged]).size).toBe(1);
});
