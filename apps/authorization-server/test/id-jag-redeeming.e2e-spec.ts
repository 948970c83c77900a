import { resolveUpstreamPerson } from '@behalf/adapter-oidc-provider';
import type { EvaluationDecision } from '@behalf/contracts';
import { grantTypes } from '@behalf/oauth';
import { decodeJwt, SignJWT } from 'jose';
import { app, clients, other } from './id-jag-clients.fixture.js';
import { agentId, type KeyPair, keyPair, TestAgents } from './test-agents.js';
import { basic, files, outcome, type TestServer, type Tokens, whoami } from './test-server.js';

const idp = 'https://idp.example';

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
    return new SignJWT(server.named(all))
      .setProtectedHeader({ alg: 'ES256', kid: 'idp', typ: 'oauth-id-jag+jwt', ...header })
      .sign(key);
  };
  const redeem = async (
    jag: string | Promise<string>,
    more: Record<string, string> = {},
    authorization: string | null = app,
  ): Promise<Tokens> =>
    server.token({ grant_type: grantTypes.jwtBearer, assertion: await jag, ...more }, authorization);

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
      grant_types_supported: expect.arrayContaining([grantTypes.jwtBearer]),
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
      agents.ask({
        grant_type: grantTypes.jwtBearer,
        assertion: await assertion({ client_id: agentId, ...claims }),
      });
    expect((await ask()).body['scope']).toBe('mcp:tools');
    expect(outcome(await ask({ resource: whoami }))).toEqual([400, 'invalid_target']);
    await agents.change('suspend');
    expect(outcome(await ask())).toEqual([401, 'invalid_client']);
  });

  it('can be limited to clients and a tenant, and opened to all people of the issuer', async () => {
    await start({ clients: ['other'], tenant: 't1', people: 'all' });
    expect(outcome(await redeem(assertion({ tenant: 't1' })))).toEqual([400, 'invalid_grant']);
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
