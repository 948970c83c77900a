import { agentId, agentResource, TestAgents } from './test-agents.js';
import { basic, files, TestServer } from './test-server.js';

const webApp = basic('web-app', 'web-app-secret');
const gateway = basic('gateway', 'gateway-secret');
const operator = basic('operator', 'operator-secret');

describe('introspection and revocation', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start();
  });
  afterEach(() => server.close());

  it.each([
    ['its client', webApp],
    ['a program that serves its resource', gateway],
  ])('RFC 7662 §2.2: tells %s what an access token says', async (_who, authorization) => {
    const { access_token: token } = await server.signIn();
    expect(await server.introspect(token, authorization)).toMatchObject({
      active: true,
      sub: 'alice',
      aud: files,
      client_id: 'web-app',
      scope: 'mcp:tools',
      token_type: 'Bearer',
      exp: expect.any(Number),
      iat: expect.any(Number),
      grant_id: expect.any(String),
      txn: expect.any(String),
    });
  });

  it('RFC 7662 §4: tells others nothing, not even that the token exists', async () => {
    const { access_token: token, refresh_token: refreshToken } = await server.signIn();
    for (const presented of [token, refreshToken, 'made-up', `${token}x`]) {
      expect(await server.introspect(presented, operator)).toEqual({ active: false });
    }
    expect(await server.introspect(refreshToken, gateway)).toEqual({ active: false });
  });

  it('RFC 7662 §2.1: asks for client authentication', async () => {
    const { access_token: token } = await server.signIn();
    const response = await server.post('/introspect', { token }, basic('gateway', 'wrong'));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ error: 'invalid_client' });
    expect((await server.post('/introspect', { token })).status).toBe(400);
  });

  it('an expired token is not active', async () => {
    const { access_token: token } = await server.signIn();
    server.clock.advanceSeconds(906);
    expect(await server.introspect(token, gateway)).toEqual({ active: false });
  });

  it.each([undefined, 'access_token', 'refresh_token'])(
    'RFC 7009 §2.1: revokes an access token and its chain, whatever the hint (%s)',
    async (hint) => {
      const { access_token: token } = await server.signIn();
      const { jti } = await server.claims(token);
      const response = await server.post(
        '/revoke',
        { token, ...(hint && { token_type_hint: hint }) },
        webApp,
      );
      expect(response.status).toBe(200);
      expect(await server.introspect(token, gateway)).toEqual({ active: false });
      for (const kind of ['token', 'transaction']) {
        expect(await server.outbox()).toContainEqual(
          expect.objectContaining({ data: expect.objectContaining({ kind, id: jti }) }),
        );
      }
    },
  );

  it.each([undefined, 'access_token'])(
    'RFC 7009 §2.1: revoking a refresh token ends its grant, whatever the hint (%s)',
    async (hint) => {
      const { access_token: token, refresh_token: refreshToken } = await server.signIn();
      const parameters = { token: refreshToken, ...(hint && { token_type_hint: hint }) };
      expect((await server.post('/revoke', parameters, webApp)).status).toBe(200);
      expect((await server.refresh(refreshToken)).body.error).toBe('invalid_grant');
      expect(await server.introspect(token, gateway)).toEqual({ active: false });
    },
  );

  it("RFC 7009 §2.2: answers 200 to unknown tokens and others' tokens, and does nothing", async () => {
    const { access_token: token, refresh_token: refreshToken } = await server.signIn();
    for (const presented of ['made-up', token, refreshToken]) {
      expect((await server.post('/revoke', { token: presented }, operator)).status).toBe(200);
    }
    expect(await server.introspect(token, gateway)).toMatchObject({ active: true });
    expect((await server.refresh(refreshToken)).status).toBe(200);
  });

  it('records revocations in the audit log, without the token', async () => {
    const { access_token: token } = await server.signIn();
    await server.post('/revoke', { token }, webApp);
    expect(server.audit).toContainEqual(expect.objectContaining({ type: 'revocation', client: 'web-app' }));
    expect(JSON.stringify(server.audit)).not.toContain(token);
  });
});

describe('introspection of an exchanged token', () => {
  let agents: TestAgents;
  beforeEach(async () => {
    agents = await TestAgents.start();
    await agents.create();
  });
  afterEach(() => agents.close());

  it('RFC 7662 §2.2: says exactly what the token says, chain and lineage included', async () => {
    const { access_token: token } = (await agents.exchange(await agents.personToken())).body;
    const claims = await agents.server.claims(token);
    expect(claims).toMatchObject({
      act: { sub: agentId },
      lineage: [expect.any(String)],
      txn: expect.any(String),
    });
    expect(await agents.server.introspect(token, gateway)).toEqual({
      ...claims,
      active: true,
      token_type: 'Bearer',
    });
  });

  it('RFC 7662 §4: is not for a client that stands further up the chain, nor for the next audience', async () => {
    const delegated = (await agents.exchange(await agents.personToken())).body.access_token;
    // The person's client gave the token that this came from; it is neither its client nor its audience.
    expect(await agents.server.introspect(delegated, webApp)).toEqual({ active: false });
    const further = (await agents.exchangeAtGateway(delegated)).body.access_token;
    expect(await agents.server.introspect(further, webApp)).toEqual({ active: false });
    expect(await agents.server.introspect(further, operator)).toEqual({ active: false });
    expect(await agents.server.introspect(further, gateway)).toMatchObject({ active: true });
  });

  it('RFC 7009 §2.1: a token in the middle takes with it what came of it, and nothing else', async () => {
    const person = await agents.personToken();
    const delegated = (await agents.exchange(person)).body.access_token;
    const sibling = (await agents.exchange(person)).body.access_token;
    const further = (await agents.exchangeAtGateway(delegated)).body.access_token;
    const assertion = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await agents.assertion(),
    };
    expect((await agents.server.post('/revoke', { token: delegated, ...assertion })).status).toBe(200);
    expect(await agents.server.introspect(further, gateway)).toEqual({ active: false });
    expect(await agents.server.introspect(delegated, gateway)).toEqual({ active: false });
    expect(await agents.server.introspect(sibling, gateway)).toMatchObject({ active: true });
    expect(await agents.server.introspect(person, webApp)).toMatchObject({ active: true });
  });

  it('RFC 7009 §2.1: nobody revokes a token of another client by holding one that came of it', async () => {
    const delegated = (await agents.exchange(await agents.personToken())).body.access_token;
    await agents.server.post('/revoke', { token: delegated }, gateway);
    expect(await agents.server.introspect(delegated, gateway)).toMatchObject({ active: true });
  });
});

describe('revocation by an administrator', () => {
  let agents: TestAgents;
  beforeEach(async () => {
    agents = await TestAgents.start();
    await agents.create();
  });
  afterEach(() => agents.close());

  it.each<[string, (person: Claims, delegated: Claims) => unknown, boolean]>([
    ['token', (_person, delegated) => delegated['jti'], false],
    ['token', (person) => person['jti'], true],
    ['transaction', (person) => person['txn'], true],
    ['session', (person) => person['sid'], true],
    ['grant', (person) => person['grant_id'], true],
  ])('of a %s ends what came of it, here and elsewhere', async (kind, idOf, endsPerson) => {
    const point = await agents.enforcementPoint();
    const { server } = agents;
    const { access_token: person, refresh_token: refresh } = await personTokens();
    const delegated = (await agents.exchange(person)).body.access_token;
    const further = (await agents.exchangeAtGateway(delegated)).body.access_token;
    const id = idOf(await server.claims(person), await server.claims(delegated));
    expect((await agents.admin('POST', '/revocations', { kind, id })).status).toBe(200);
    await point.revoked;
    expect(await point.verify(delegated)).toBe('invalid_token');
    expect(await point.verify(further, 'https://files.example/mcp')).toBe('invalid_token');
    expect((await agents.exchangeAtGateway(delegated)).body.error).toBe('invalid_request');
    expect(await point.verify(person, agentResource)).toBe(endsPerson ? 'invalid_token' : 'accepted');
    const refreshed = (await server.refresh(refresh)).status;
    expect(refreshed).toBe(kind === 'session' || kind === 'grant' ? 400 : 200);
    expect(server.audit).toContainEqual(
      expect.objectContaining({ type: 'revocation', client: 'operator', details: { kind, id } }),
    );
    await point.close();
  });

  it('is for administrators, of what can be revoked', async () => {
    const body = { kind: 'token', id: 'x' };
    expect((await agents.admin('POST', '/revocations', body, { authorization: '' })).status).toBe(401);
    expect((await agents.admin('POST', '/revocations', { kind: 'client', id: agentId })).status).toBe(400);
    expect((await agents.admin('POST', '/revocations', { ...body, issuedUntilMs: 0 })).status).toBe(400);
  });

  async function personTokens() {
    const wanted = { resource: agentResource, scope: 'mcp:tools' };
    const code = (await agents.server.authorize(wanted)).get('code');
    return (await agents.server.redeem(code, { resource: agentResource })).body;
  }
});

type Claims = Record<string, unknown>;
