import { TestBrowser } from '@behalf/testing';
import { decodeJwt, decodeProtectedHeader, UnsecuredJWT } from 'jose';
import { agentId, agentResource, TestAgents, tokenExchange, upstream } from './test-agents.js';
import { basic, redirectUri, type Tokens } from './test-server.js';

const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`;
const gateway = basic('gateway', 'gateway-secret');
/** Has tokens of people's own, refreshes them and exchanges them. */
const assistant = basic('assistant', 'assistant-secret');
const exchange = { audiences: ['*'], scopes: ['mcp:tools'] };
const clients = [
  { clientId: 'web-app', demoSecret: 'web-app-secret', redirectUris: [redirectUri] },
  { clientId: 'gateway', demoSecret: 'gateway-secret', grantTypes: [tokenExchange], exchange },
  {
    clientId: 'assistant',
    demoSecret: 'assistant-secret',
    redirectUris: [redirectUri],
    grantTypes: ['authorization_code', 'refresh_token', tokenExchange],
    exchange,
  },
  {
    clientId: 'operator',
    demoSecret: 'operator-secret',
    grantTypes: ['client_credentials'],
    scopes: ['admin'],
  },
];

/** The rules that every token service has to follow, one by one, each by the name of the line that has it. */
describe('the rules of RFC 8693 and its neighbours', () => {
  let agents: TestAgents;
  let subject: string;
  beforeAll(async () => {
    agents = await TestAgents.start({
      server: { transactionTokens: { trustDomain: 'trust.example' }, clients },
    });
    await agents.create();
    subject = (await agents.server.signIn({ scope: 'openid mcp:tools' })).access_token;
  });
  afterAll(() => agents.close());

  /** A form as it is sent: a list repeats, undefined is left out. */
  const post = async (
    changes: Record<string, string | string[] | undefined> = {},
    authorization = gateway,
    path = '/token',
  ): Promise<Tokens> => {
    const form = new URLSearchParams();
    const all = {
      grant_type: tokenExchange,
      subject_token: subject,
      subject_token_type: type('access_token'),
      resource: upstream,
      ...changes,
    };
    for (const [name, value] of Object.entries(all))
      for (const one of [value ?? []].flat()) form.append(name, one);
    const response = await fetch(`${agents.server.issuer}${path}`, {
      method: 'POST',
      headers: { authorization },
      body: form,
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Tokens['body'],
    };
  };
  const altered = (claims: object): string => {
    const [head, , signature] = subject.split('.');
    const payload = Buffer.from(JSON.stringify({ ...decodeJwt(subject), ...claims })).toString('base64url');
    return `${head}.${payload}.${signature}`;
  };

  it.each<[string, Record<string, string | string[] | undefined>, string]>([
    ['RFC 8693 §2.1: subject_token is required', { subject_token: undefined }, 'invalid_request'],
    ['RFC 8693 §2.1: subject_token_type is required', { subject_token_type: undefined }, 'invalid_request'],
    ['RFC 6749 §3.2: an empty parameter is none', { subject_token: '' }, 'invalid_request'],
    [
      'RFC 8693 §2.1: actor_token_type comes with actor_token only',
      { actor_token_type: type('access_token') },
      'invalid_request',
    ],
    ['RFC 8693 §2.1: actor_token needs actor_token_type', { actor_token: 'a.b.c' }, 'invalid_request'],
    [
      'RFC 8693 §2.2.2: an invalid actor token is invalid_request',
      { actor_token: 'a.b.c', actor_token_type: type('access_token') },
      'invalid_request',
    ],
    [
      'RFC 8693 §2.1: requested_token_type is not substituted',
      { requested_token_type: type('saml2') },
      'invalid_request',
    ],
    [
      'RFC 8693 §3: an unknown subject_token_type is refused',
      { subject_token_type: type('saml1') },
      'invalid_request',
    ],
    [
      'RFC 8693 §2.2.2: a malformed subject token is invalid_request',
      { subject_token: 'x' },
      'invalid_request',
    ],
    ['RFC 6749 §3.2: subject_token does not repeat', { subject_token: ['a', 'b'] }, 'invalid_request'],
    ['RFC 6749 §3.2: scope does not repeat', { scope: ['mcp:tools', 'mcp:tools'] }, 'invalid_request'],
    ['RFC 8693 §2.2.2: who names no target gets no token', { resource: undefined }, 'invalid_target'],
    [
      'RFC 8707 §2: an unknown resource is invalid_target',
      { resource: 'https://unknown.example' },
      'invalid_target',
    ],
    ['RFC 8707 §2: a relative resource is invalid_target', { resource: '/mcp' }, 'invalid_target'],
    [
      'RFC 8707 §2: a resource with a fragment is invalid_target',
      { resource: `${upstream}#x` },
      'invalid_target',
    ],
    [
      'RFC 9700 §2.3: a delegated token is for one target',
      { resource: [upstream, agentResource] },
      'invalid_target',
    ],
    [
      'RFC 8693 §2.1: an unknown audience is invalid_target',
      { resource: undefined, audience: 'unknown' },
      'invalid_target',
    ],
    [
      'RFC 6749 §3.3: scope beyond the subject token is invalid_scope',
      { scope: 'files:write' },
      'invalid_scope',
    ],
    [
      'RFC 6749 §3.3: scope in other characters is invalid_scope',
      { scope: 'mcp:tools\u00a0admin' },
      'invalid_scope',
    ],
    ['RFC 6749 §3.3: scope in other case is another scope', { scope: 'MCP:tools' }, 'invalid_scope'],
    [
      'RFC 9396 §5: malformed details are invalid_authorization_details',
      { authorization_details: '{' },
      'invalid_authorization_details',
    ],
    [
      'RFC 9396 §5: details beyond what is held are invalid_authorization_details',
      { authorization_details: '[{"type":"mail"}]' },
      'invalid_authorization_details',
    ],
    [
      'draft transaction-tokens: a refresh token is no subject token for one',
      {
        subject_token_type: type('refresh_token'),
        requested_token_type: type('txn_token'),
        audience: 'trust.example',
        resource: undefined,
      },
      'invalid_request',
    ],
    [
      'draft transaction-tokens: the audience is the trust domain',
      { requested_token_type: type('txn_token'), audience: 'other.example', resource: undefined },
      'invalid_target',
    ],
  ])('%s', async (_rule, changes, error) => {
    const { status, body, headers } = await post(changes);
    expect([status, body.error]).toEqual([400, error]);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).not.toHaveProperty('access_token');
  });

  it.each<[string, () => string]>([
    ['RFC 9068 §4: a token with alg none', () => new UnsecuredJWT(decodeJwt(subject)).encode()],
    ['RFC 9068 §4: a token with another aud under the same signature', () => altered({ aud: upstream })],
    ['RFC 8693 §4.1: a token with a forged act', () => altered({ act: { sub: 'gateway' } })],
    ['RFC 8693 §4.4: a token with a forged may_act', () => altered({ may_act: { sub: 'gateway' } })],
    ['RFC 9449 §6: a token whose cnf was taken out', () => altered({ cnf: undefined, exp: 9_999_999_999 })],
  ])('%s is no subject token', async (_rule, forged) => {
    expect((await post({ subject_token: forged() })).body.error).toBe('invalid_request');
  });

  it('RFC 8693 §2.2.1: the answer has the token, its true type, how to use it, how long and for what', async () => {
    const { status, body, headers } = await post({ requested_token_type: type('access_token') });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: type('access_token'),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'mcp:tools',
    });
  });

  it('RFC 8693 §2.2.1: there is no refresh token, also where the client may refresh', async () => {
    const code = (await agents.server.authorize({ client_id: 'assistant', scope: 'mcp:tools' })).get('code');
    const own = await agents.server.redeem(code, {}, assistant);
    expect(own.body).toHaveProperty('refresh_token');
    const { status, body } = await post({ subject_token: own.body.access_token }, assistant);
    expect([status, body]).toEqual([200, expect.not.objectContaining({ refresh_token: expect.anything() })]);
  });

  it('RFC 9700 §2.3: no parameter says who the token is of, to whom it was issued, or which key it is bound to', async () => {
    const claims = {
      sub: 'bob',
      act: '{"sub":"x"}',
      client_id: 'gateway',
      cnf: '{"jkt":"x"}',
      azp: 'x',
      exp: '9',
    };
    const { body } = await post(claims);
    expect(decodeJwt(body.access_token)).toMatchObject({
      sub: 'alice',
      client_id: 'gateway',
      act: { sub: 'gateway' },
    });
    expect(decodeJwt(body.access_token)).not.toHaveProperty('cnf');
    expect((await post({ client_id: 'assistant' })).status).toBeGreaterThanOrEqual(400);
  });

  it('draft id-jag: for an issuer that is not configured there is none', async () => {
    const wanted = { client_id: 'assistant', scope: 'openid mcp:tools' };
    const code = (await agents.server.authorize(wanted)).get('code');
    const own = await agents.server.redeem(code, {}, assistant);
    const asked = {
      requested_token_type: type('id-jag'),
      audience: 'https://as.example',
      subject_token: String(own.body['id_token']),
      subject_token_type: type('id_token'),
    };
    const { status, body } = await post(asked, assistant);
    expect([status, body.error]).toEqual([400, 'invalid_target']);
  });

  it('RFC 8693 §2.1: resource and audience may both name the target, and repeat', async () => {
    expect((await post({ resource: [upstream, upstream], audience: upstream })).status).toBe(200);
  });

  it('RFC 9068 §2: the token has the type and all the claims', async () => {
    const { body } = await post();
    expect(decodeProtectedHeader(body.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
    const text = expect.any(String) as string;
    const number = expect.any(Number) as number;
    const required = { iss: agents.server.issuer, sub: 'alice', aud: upstream, client_id: 'gateway' };
    expect(decodeJwt(body.access_token)).toMatchObject({ ...required, jti: text, iat: number, exp: number });
  });

  it('RFC 9068 §4: an RS256 key is published beside the ES256 ones', async () => {
    const jwks = (await (await fetch(`${agents.server.issuer}/jwks`)).json()) as { keys: { alg: string }[] };
    expect(jwks.keys.map(({ alg }) => alg)).toEqual(expect.arrayContaining(['ES256', 'RS256']));
    expect(JSON.stringify(jwks)).not.toContain('"d"');
  });

  it('RFC 8693 §1.1, §4.1: sub stays the person, the latest actor is outermost, earlier ones are inside', async () => {
    const person = await agents.personToken();
    const first = await agents.exchange(person);
    const second = await post({ subject_token: first.body.access_token });
    const { sub, act } = decodeJwt(second.body.access_token);
    expect([sub, act]).toEqual(['alice', { sub: 'gateway', act: { sub: agentId } }]);
  });

  it('RFC 8693 §5: who does not authenticate exchanges nothing', async () => {
    const wrong = await post({}, basic('gateway', 'wrong'));
    expect([wrong.status, wrong.body.error]).toEqual([401, 'invalid_client']);
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /);
    const client = await agents.server.register({
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', tokenExchange],
    });
    const form = { grant_type: tokenExchange, client_id: String(client.body['client_id']) };
    const open = await agents.server.token({ ...form, subject_token: subject }, null);
    expect([open.status, open.body.error]).toEqual([400, 'unauthorized_client']);
  });

  it('RFC 6749 §5.2: a client without this grant is an unauthorized_client', async () => {
    const { status, body } = await post({}, basic('web-app', 'web-app-secret'));
    expect([status, body.error]).toEqual([400, 'unauthorized_client']);
  });

  it('draft transaction-tokens: txntoken+jwt, N_A, no refresh token, bound to nothing, and no access token', async () => {
    const asked = { requested_token_type: type('txn_token'), audience: 'trust.example', resource: undefined };
    const { body } = await post({ ...asked, scope: 'mcp:tools' });
    expect(body).toMatchObject({ token_type: 'N_A', issued_token_type: type('txn_token') });
    expect(decodeProtectedHeader(body.access_token).typ).toBe('txntoken+jwt');
    expect(decodeJwt(body.access_token)).not.toHaveProperty('cnf');
    expect(body).not.toHaveProperty('refresh_token');
    const introspected = await agents.server.introspect(body.access_token, gateway);
    expect(introspected).toEqual({ active: false });
  });

  it('RFC 7662 §2.1: nobody introspects without authenticating', async () => {
    const answer = await agents.server.post('/introspect', { token: subject }, basic('gateway', 'wrong'));
    expect(answer.status).toBe(401);
  });

  it('RFC 7662 §2.2: to who has no business with a token it is inactive, and nothing else', async () => {
    expect(await agents.server.introspect(subject, basic('operator', 'operator-secret'))).toEqual({
      active: false,
    });
  });

  it.each([['access_token'], ['refresh_token'], ['made_up']])(
    'RFC 7009 §2.1: token_type_hint %s restricts nothing, and an unknown token is answered with 200',
    async (hint) => {
      const form = { token: 'unknown', token_type_hint: hint };
      expect((await agents.server.post('/revoke', form, gateway)).status).toBe(200);
    },
  );

  it('RFC 9700 §2.1.1, RFC 9207: PKCE and iss are in the metadata, and in the answer', async () => {
    const metadata = await fetch(`${agents.server.issuer}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    });
    expect((await agents.server.authorize()).get('iss')).toBe(agents.server.issuer);
    const plain = await agents.server.authorize({ code_challenge_method: 'plain' });
    expect(plain.get('error')).toBe('invalid_request');
    const none = await agents.server.authorize({
      code_challenge: undefined,
      code_challenge_method: undefined,
    });
    expect(none.get('error')).toBe('invalid_request');
  });

  it('RFC 9700 §4.12: after a form people are sent on with 303, so that no password is posted again', async () => {
    const { fetch: send } = globalThis;
    const answers: number[] = [];
    globalThis.fetch = async (input, init) => {
      const response = await send(input, init);
      if (init?.method === 'POST') answers.push(response.status);
      return response;
    };
    try {
      await agents.server.authorize({}, { username: 'bob', browser: new TestBrowser() });
    } finally {
      globalThis.fetch = send;
    }
    // Sign-in and consent.
    expect(answers).toEqual([303, 303]);
  });

  it('RFC 8707 §2: one resource per authorization request', async () => {
    const url = agents.server.authorizationUrl();
    url.searchParams.append('resource', upstream);
    const stopAt = ({ host }: URL): boolean => host === 'client.example.com';
    const visit = await agents.server.browser.open(url, { stopAt });
    expect(visit.url.searchParams.get('error')).toBe('invalid_target');
  });

  // The clock goes on, so this is the last one.
  it('RFC 8693 §2.2.1: it expires no later than what it came from, and that is what the answer says', async () => {
    const { exp = 0 } = decodeJwt(subject);
    const { clock } = agents.server;
    clock.advanceSeconds(exp - 60 - Math.floor(clock.nowMs() / 1000));
    const { body } = await post();
    expect([decodeJwt(body.access_token).exp, body['expires_in']]).toEqual([exp, 60]);
    clock.advanceSeconds(60);
    expect((await post()).body.error).toBe('invalid_request');
  });
});
