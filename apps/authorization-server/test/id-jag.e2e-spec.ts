import { resolveUpstreamPerson } from '@behalf/adapter-oidc-provider';
import type { EvaluationDecision } from '@behalf/contracts';
import { TestBrowser } from '@behalf/testing';
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';
import { agentId, type KeyPair, keyPair, TestAgents } from './test-agents.js';
import { basic, files, redirectUri, type TestServer, type Tokens, whoami } from './test-server.js';

const idp = 'https://idp.example';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const idJag = 'urn:ietf:params:oauth:token-type:id-jag';
const app = basic('app', 'app-secret');
const clients = [
  {
    clientId: 'app',
    demoSecret: 'app-secret',
    grantTypes: [jwtBearer, tokenExchange, 'authorization_code', 'refresh_token'],
    redirectUris: [redirectUri],
  },
  { clientId: 'other', demoSecret: 'other-secret', grantTypes: [jwtBearer, tokenExchange] },
  { clientId: 'public', tokenEndpointAuthMethod: 'none', redirectUris: [redirectUri] },
  {
    clientId: 'operator',
    demoSecret: 'operator-secret',
    grantTypes: ['client_credentials'],
    scopes: ['admin'],
  },
];

/** Claims of a table, which is written before there is an issuer: `{us}` stands for it. */
function named(claims: object, { issuer }: TestServer): JWTPayload {
  return JSON.parse(JSON.stringify(claims).replaceAll('{us}', issuer)) as JWTPayload;
}

describe('MCP Enterprise-Managed Authorization: redeeming an ID-JAG', () => {
  let agents: TestAgents;
  let server: TestServer;
  let idpKey: KeyPair;
  let person: string;
  const start = async (
    assertions: object = {},
    decide?: () => Promise<EvaluationDecision>,
  ): Promise<void> => {
    const trustedIssuers = [
      { issuer: idp, jwks: { keys: [idpKey.publicJwk] }, identityAssertions: assertions },
      { issuer: 'https://workloads.example', jwks: { keys: [idpKey.publicJwk] }, workloads: {} },
    ];
    agents = await TestAgents.start({ server: { clients, trustedIssuers }, replicas: 1 }, decide);
    ({ server } = agents);
    const known = { name: 'Eve', groups: ['eng'] };
    person = await resolveUpstreamPerson(server.records, { issuer: idp, subject: 'eve' }, known);
  };
  beforeAll(async () => {
    idpKey = await keyPair('idp');
  });
  afterEach(() => agents.close());

  const assertion = (claims: object = {}, header: object = {}, key = idpKey.privateKey): Promise<string> => {
    const now = Math.floor(server.clock.nowMs() / 1000);
    const all = {
      iss: idp,
      sub: 'eve',
      aud: server.issuer,
      client_id: 'app',
      jti: crypto.randomUUID(),
      iat: now,
      exp: now + 120,
      resource: files,
      scope: 'mcp:tools files:write',
      ...claims,
    };
    return new SignJWT(named(all, server))
      .setProtectedHeader({ alg: 'ES256', kid: 'idp', typ: 'oauth-id-jag+jwt', ...header })
      .sign(key);
  };
  const redeem = async (
    jag: string | Promise<string>,
    more: Record<string, string> = {},
    authorization: string | null = app,
  ): Promise<Tokens> => server.token({ grant_type: jwtBearer, assertion: await jag, ...more }, authorization);
  const outcome = ({ status, body }: Tokens): unknown[] => [status, body.error];

  it('§5: gives an access token for the person, restricted to the resource, without a refresh token', async () => {
    await start();
    const { status, body } = await redeem(assertion(), { resource: files, scope: 'mcp:tools' });
    expect([status, body['token_type'], body['scope'], body['refresh_token']]).toEqual([
      200,
      'Bearer',
      'mcp:tools',
      undefined,
    ]);
    expect(await server.claims(body.access_token)).toMatchObject({
      sub: person,
      aud: files,
      client_id: 'app',
      scope: 'mcp:tools',
      groups: ['eng'],
    });
    expect(server.audit).toContainEqual(
      expect.objectContaining({ type: 'id-jag-redemption', outcome: 'allowed', client: 'app', person }),
    );
    expect(JSON.stringify(server.audit)).not.toContain('eyJ');
  });

  it('draft id-jag §4.4: aud may be a list, of us alone', async () => {
    await start();
    expect((await redeem(assertion({ aud: ['{us}'] }))).status).toBe(200);
  });

  it('draft id-jag §3.1, RFC 9068 §2.2.1: tells how the person signed in, and agrees on who that is', async () => {
    await start();
    const said = { auth_time: 1_700_000_000, acr: 'phr', amr: ['hwk', 'pin'] };
    const { body } = await redeem(assertion({ ...said, aud_sub: person }));
    expect(decodeJwt(body.access_token)).toMatchObject({ ...said, sub: person });
    expect(decodeJwt(body.access_token)).not.toHaveProperty('aud_sub');
    // Our name for a person makes nobody that person.
    const climbing = redeem(assertion({ sub: 'mallory', aud_sub: person }));
    expect(outcome(await climbing)).toEqual([400, 'invalid_grant']);
  });

  it('clients.md 17: takes resource and scope from the assertion when the request has none', async () => {
    await start();
    const { body } = await redeem(assertion());
    expect(decodeJwt(body.access_token)).toMatchObject({ aud: files, scope: 'mcp:tools files:write' });
    const bare = await redeem(assertion({ resource: undefined, scope: undefined }), { resource: files });
    expect(decodeJwt(bare.body.access_token)).toMatchObject({ aud: files, scope: 'mcp:tools' });
    expect(outcome(await redeem(assertion({ resource: undefined })))).toEqual([400, 'invalid_target']);
  });

  it('§7: advertises the profile and the grant', async () => {
    await start();
    const metadata = await fetch(`${server.issuer}/.well-known/oauth-authorization-server`);
    expect(await metadata.json()).toMatchObject({
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
      grant_types_supported: expect.arrayContaining([jwtBearer]),
    });
  });

  it('§5.1: a jti is taken once, of many at once one wins, and what was refused is not used up', async () => {
    await start();
    const jag = await assertion();
    expect(outcome(await redeem(jag, { resource: whoami }))).toEqual([400, 'invalid_target']);
    const all = await Promise.all(Array.from({ length: 8 }, () => redeem(jag)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(outcome(await redeem(jag))).toEqual([400, 'invalid_grant']);
    server.oneTime.claim = async () => Promise.reject(new Error('down'));
    expect(outcome(await redeem(assertion()))).toEqual([503, 'temporarily_unavailable']);
  });

  it.each<[string, object, object?]>([
    ['of another type', {}, { typ: 'JWT' }],
    ['that is an access token', {}, { typ: 'at+jwt' }],
    ['without a type', {}, { typ: undefined }],
    ['of an issuer that is not trusted', { iss: 'https://evil.example' }],
    ['of an issuer that is trusted for something else', { iss: 'https://workloads.example' }],
    ['for another authorization server', { aud: 'https://other.example' }],
    ['for our token endpoint', { aud: '{us}/token' }],
    ['for us and another authorization server', { aud: ['{us}', 'https://other.example'] }],
    ['for nobody', { aud: undefined }],
    ['for another client', { client_id: 'other' }],
    ['for no client', { client_id: undefined }],
    ['about nobody', { sub: undefined }],
    ['about somebody who never signed in', { sub: 'mallory' }],
    ['about one of our people by our name', { sub: 'alice' }],
    ['about somebody who is somebody else here', { aud_sub: 'alice' }],
    ['with a malformed acr', { acr: 1 }],
    ['with a malformed amr', { amr: 'pwd' }],
    ['that has expired', { iat: 1, exp: 2 }],
    ['from the future', { iat: 4_000_000_000, exp: 4_000_000_060 }],
    ['that lives for a day', { exp: 4_000_000_000 }],
    ['without exp', { exp: undefined }],
    ['without iat', { iat: undefined }],
    ['without jti', { jti: undefined }],
    ['for a resource that is none of ours', { resource: 'https://unknown.example' }],
    ['with an actor of ours', { act: { sub: 'gateway', iss: '{us}' } }],
    ['with a malformed actor', { act: 'gateway' }],
    ['that is bound to a key', { cnf: { jkt: 'x' } }],
    ['of an unknown key', {}, { kid: 'x' }],
    ['of a key at a URL', {}, { kid: 'x', jku: 'https://evil.example' }],
    ['of a key in its header', {}, { kid: 'x', jwk: {} }],
  ])('§5.1: refuses an assertion %s', async (_title, claims, header = {}) => {
    await start();
    expect(outcome(await redeem(assertion(claims, header)))).toEqual([400, 'invalid_grant']);
  });

  it('§5.1: refuses alg none, HS256 over the public key, and a foreign key', async () => {
    await start();
    const [, payload] = (await assertion()).split('.');
    const head = (alg: string) =>
      Buffer.from(JSON.stringify({ alg, typ: 'oauth-id-jag+jwt', kid: 'idp' })).toString('base64url');
    const secret = new TextEncoder().encode(JSON.stringify(idpKey.publicJwk)) as never;
    for (const forged of [
      `${head('none')}.${payload}.`,
      await assertion({}, { alg: 'HS256' }, secret),
      await assertion({}, {}, (await keyPair('idp')).privateKey),
    ])
      expect(outcome(await redeem(forged))).toEqual([400, 'invalid_grant']);
  });

  it('§5.1: the client has to authenticate', async () => {
    await start();
    const asPublic = await redeem(assertion({ client_id: 'public' }), { client_id: 'public' }, null);
    expect(outcome(asPublic)).toEqual([400, 'unauthorized_client']);
    expect((await redeem(assertion(), {}, basic('app', 'x'))).status).toBe(401);
    expect((await redeem(assertion(), {}, null)).status).toBe(400);
  });

  it('§5.1: scope is what both the request and the assertion have, and the resource knows', async () => {
    await start();
    const narrow = await redeem(assertion({ scope: 'mcp:tools admin' }), { scope: 'mcp:tools files:write' });
    expect(narrow.body['scope']).toBe('mcp:tools');
    expect(outcome(await redeem(assertion({ scope: 'mcp:tools' }), { scope: 'files:write' }))).toEqual([
      400,
      'invalid_scope',
    ]);
  });

  it('never for administration, whatever the assertion says', async () => {
    await start();
    const jag = assertion({ resource: `${server.issuer}/admin`, scope: 'admin' });
    expect(outcome(await redeem(jag))).toEqual([400, 'invalid_grant']);
  });

  it('carries the actors of the assertion as actors of its issuer', async () => {
    await start();
    const { body } = await redeem(assertion({ act: { sub: 'gateway' } }));
    expect(decodeJwt(body.access_token)['act']).toEqual({ sub: 'gateway', iss: idp });
  });

  it('holds an agent to its ceiling, and refuses it when it is suspended', async () => {
    await start();
    await agents.create();
    const ask = async (claims: object = {}): Promise<Tokens> =>
      agents.ask({ grant_type: jwtBearer, assertion: await assertion({ client_id: agentId, ...claims }) });
    expect((await ask()).body['scope']).toBe('mcp:tools');
    expect(outcome(await ask({ resource: whoami }))).toEqual([400, 'invalid_target']);
    await agents.change('suspend');
    expect(outcome(await ask())).toEqual([401, 'invalid_client']);
  });

  it('can be limited to clients and a tenant, and opened to all people of the issuer', async () => {
    await start({ clients: ['other'], tenant: 't1', people: 'all' });
    expect(outcome(await redeem(assertion({ tenant: 't1' })))).toEqual([400, 'invalid_grant']);
    const other = basic('other', 'other-secret');
    const as = (claims: object) => redeem(assertion({ client_id: 'other', ...claims }), {}, other);
    expect(outcome(await as({}))).toEqual([400, 'invalid_grant']);
    expect((await as({ tenant: 't1' })).status).toBe(200);
    const { body } = await as({ tenant: 't1', sub: 'mallory' });
    expect(decodeJwt(body.access_token).sub).toBe(`${idp}#mallory`);
  });

  it('does what policy says, and nothing when policy or the audit log is away', async () => {
    let answer: 'deny' | 'down' = 'deny';
    await start({}, async () => {
      if (answer === 'down') throw new Error('down');
      return { decision: false, context: { id: 'd-1' } };
    });
    const jag = await assertion();
    expect(outcome(await redeem(jag))).toEqual([400, 'invalid_target']);
    expect(server.audit).toContainEqual(
      expect.objectContaining({
        outcome: 'refused',
        decisionId: 'd-1',
        details: expect.objectContaining({ reason: 'policy_denied' }),
      }),
    );
    answer = 'down';
    expect(outcome(await redeem(jag))).toEqual([503, 'temporarily_unavailable']);
  });
});

describe('MCP Enterprise-Managed Authorization: issuing an ID-JAG', () => {
  const theirs = 'https://as.mcp.example';
  const theirResource = 'https://mcp.example/files';
  let server: TestServer;
  let agents: TestAgents;
  let tokens: Tokens['body'];
  beforeAll(async () => {
    agents = await TestAgents.start({
      server: {
        clients,
        idJag: {
          authorizationServers: [
            {
              issuer: theirs,
              aliases: ['mcp'],
              clients: { app: 'their-app' },
              resources: ['https://mcp.example/*'],
              scopes: ['mcp:tools'],
            },
          ],
        },
      },
    });
    ({ server } = agents);
    const code = (await server.authorize({ client_id: 'app', scope: 'openid mcp:tools' })).get('code');
    tokens = (await server.redeem(code, {}, app)).body;
  });
  afterAll(() => agents.close());

  const form = (more: Record<string, string>): Record<string, string> => ({
    grant_type: tokenExchange,
    requested_token_type: idJag,
    subject_token: String(tokens['id_token']),
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    audience: theirs,
    resource: theirResource,
    ...more,
  });
  const ask = (more: Record<string, string> = {}, authorization: string | null = app): Promise<Tokens> =>
    server.token(form(more), authorization);
  const outcome = ({ status, body }: Tokens): unknown[] => [status, body.error];

  it('§4: is for the person of the ID token, to the authorization server that was asked for', async () => {
    const { status, body } = await ask({ scope: 'mcp:tools admin' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ issued_token_type: idJag, token_type: 'N_A', scope: 'mcp:tools' });
    expect(body['refresh_token']).toBeUndefined();
    expect(body['expires_in']).toBeLessThanOrEqual(300);
    expect(decodeProtectedHeader(body.access_token)).toMatchObject({ typ: 'oauth-id-jag+jwt', alg: 'ES256' });
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const { payload } = await jwtVerify(body.access_token, keys, { issuer: server.issuer, audience: theirs });
    expect(payload).toMatchObject({
      sub: decodeJwt(String(tokens['id_token'])).sub,
      client_id: 'their-app',
      resource: theirResource,
      scope: 'mcp:tools',
      jti: expect.any(String),
    });
    expect(server.audit).toContainEqual(expect.objectContaining({ type: 'id-jag', outcome: 'allowed' }));
  });

  it('POST /exchange/explain says what it would be, or which rule is in the way, and issues nothing', async () => {
    const explain = async (more: Record<string, string> = {}): Promise<Record<string, unknown>> => {
      const answer = await server.post('/exchange/explain', form(more), app);
      expect(answer.status).toBe(200);
      return (await answer.json()) as Record<string, unknown>;
    };
    const issued = await explain({ scope: 'mcp:tools' });
    expect(issued).toMatchObject({
      outcome: 'minted',
      client: 'app',
      person: 'alice',
      audiences: [theirs],
      token: { typ: 'oauth-id-jag+jwt', tokenType: 'N_A', claims: { aud: theirs, client_id: 'their-app' } },
    });
    expect(JSON.stringify(issued)).not.toMatch(/eyJ|"jti"/);
    expect(server.audit.at(-1)).toMatchObject({ type: 'exchange-explanation', outcome: 'allowed' });
    expect(await explain({ resource: files })).toMatchObject({
      outcome: 'refused',
      refusal: { reason: 'resource_not_there', error: 'invalid_target', rule: expect.any(String) },
    });
    expect(await explain({ subject_token: 'a.b.c' })).toMatchObject({
      refusal: { reason: 'subject_token_invalid' },
    });
  });

  it('§4: takes an alias of the server and a refresh token, which stays good', async () => {
    const parameters = {
      audience: 'mcp',
      subject_token: tokens.refresh_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
    };
    for (let use = 0; use < 2; use++) {
      const { body } = await ask(parameters);
      expect(decodeJwt(body.access_token)).toMatchObject({ aud: theirs, sub: expect.any(String) });
    }
    expect((await server.refresh(tokens.refresh_token, {}, app)).status).toBe(200);
  });

  it.each<[string, Record<string, string>, string]>([
    ['no audience', { audience: '' }, 'invalid_target'],
    ['an unknown audience', { audience: 'https://unknown.example' }, 'invalid_target'],
    ['a resource of somebody else', { resource: files }, 'invalid_target'],
    ['a scope that may not be asserted', { scope: 'admin' }, 'invalid_scope'],
    ['an actor token', { actor_token: 'x', actor_token_type: 'x' }, 'invalid_request'],
    ['no subject token', { subject_token: '' }, 'invalid_request'],
    ['a forged subject token', { subject_token: 'a.b.c' }, 'invalid_request'],
    [
      'another type of subject token',
      { subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' },
      'invalid_request',
    ],
  ])('§4: refuses %s', async (_title, parameters, error) => {
    expect(outcome(await ask(parameters))).toEqual([400, error]);
  });

  it('refuses an access token as an ID token, another client’s tokens, and a client unknown there', async () => {
    expect(outcome(await ask({ subject_token: tokens.access_token }))).toEqual([400, 'invalid_request']);
    const other = basic('other', 'other-secret');
    expect(outcome(await ask({}, other))).toEqual([400, 'invalid_request']);
    const stolen = {
      subject_token: tokens.refresh_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token',
    };
    expect(outcome(await ask(stolen, other))).toEqual([400, 'invalid_request']);
    expect((await ask({}, null)).status).toBe(400);
  });

  it('draft id-jag §4.3: is refused for an ID token that has expired, or whose sign-in is over', async () => {
    const wanted = { client_id: 'app', scope: 'openid mcp:tools' };
    const code = (await server.authorize(wanted, { browser: new TestBrowser() })).get('code');
    const { body } = await server.redeem(code, {}, app);
    const idToken = { subject_token: String(body['id_token']) };
    expect((await ask(idToken)).status).toBe(200);
    const { exp = 0, sid } = decodeJwt(String(body['id_token']));
    await agents.admin('POST', '/revocations', { kind: 'session', id: sid });
    expect(outcome(await ask(idToken))).toEqual([400, 'invalid_request']);
    expect((await ask()).status).toBe(200);
    // The clock goes on, so this is the last test of these tokens.
    server.clock.advanceSeconds(exp - Math.floor(server.clock.nowMs() / 1000) + 60);
    expect(outcome(await ask())).toEqual([400, 'invalid_request']);
  });
});
