import { grantTypes } from '@behalf/oauth';
import { TestBrowser } from '@behalf/testing';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { app, clients, other } from './id-jag-clients.fixture.js';
import { TestAgents } from './test-agents.js';
import { files, outcome, type TestServer, type Tokens } from './test-server.js';

const idJag = 'urn:ietf:params:oauth:token-type:id-jag';

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
    grant_type: grantTypes.tokenExchange,
    requested_token_type: idJag,
    subject_token: String(tokens['id_token']),
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    audience: theirs,
    resource: theirResource,
    ...more,
  });
  const ask = (more: Record<string, string> = {}, authorization: string | null = app): Promise<Tokens> =>
    server.token(form(more), authorization);

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
