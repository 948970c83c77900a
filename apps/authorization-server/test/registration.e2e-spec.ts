import { z } from 'zod';
import { TestServer } from './test-server.js';

describe('dynamic client registration', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start();
  });
  afterEach(() => server.close());

  /** Bodies that real clients send. */
  const real: Record<string, Record<string, unknown>> = {
    'MCP CLI Client': {
      client_name: 'MCP CLI Client',
      redirect_uris: ['http://localhost:8090/oauth/callback'],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    'MCP Inspector': {
      client_name: 'MCP Inspector',
      redirect_uris: ['http://localhost:6274/oauth/callback', 'http://localhost:6274/oauth/callback/debug'],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      client_uri: 'https://github.com/modelcontextprotocol/inspector',
      scope: 'mcp:tools',
    },
    'an editor': {
      client_name: 'Editor',
      redirect_uris: ['https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/'],
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code', 'token'],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      software_id: 'x',
      software_version: '1',
      something_unknown: { deep: true },
    },
    'a client that says little': { redirect_uris: ['http://127.0.0.1:9999/callback'] },
  };

  it.each(Object.keys(real))('registers %s', async (name) => {
    const { status, body } = await server.register(real[name] ?? {});
    expect(status).toBe(201);
    expect(body).toMatchObject({
      client_id: expect.any(String),
      redirect_uris: real[name]?.['redirect_uris'],
    });
    expect(body['client_id']).not.toMatch(/^https:/);
    expect(body['scope']).toBe(real[name]?.['scope']);
  });

  it.each(['http://127.0.0.1', 'http://[::1]', 'http://localhost'])(
    'clients.md 8: the port of %s is free, whatever application_type says',
    async (host) => {
      for (const type of ['native', 'web', undefined]) {
        const { body } = await server.register({
          redirect_uris: [`${host}/callback`, `${host}:1234/other`],
          token_endpoint_auth_method: 'none',
          ...(type && { application_type: type }),
        });
        const open = async (redirectUri: string): Promise<number> =>
          (
            await server.browser.open(
              server.authorizationUrl({ client_id: String(body['client_id']), redirect_uri: redirectUri }),
            )
          ).status;
        expect(await open(`${host}:45678/callback`)).toBe(200);
        expect(await open(`${host}:45678/other`)).toBe(200);
        expect(await open(`${host}:45678/third`)).toBe(400);
        expect(await open(`${host.replace('http', 'https')}:45678/callback`)).toBe(400);
      }
    },
  );

  it('one loopback name does not stand for another', async () => {
    const { body } = await server.register({
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
    });
    const url = server.authorizationUrl({
      client_id: String(body['client_id']),
      redirect_uri: 'http://localhost:1/callback',
    });
    expect((await server.browser.open(url)).status).toBe(400);
  });

  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'http://client.example.com/callback',
    'http://localhost.example.com/callback',
    'https://user@client.example.com/callback',
    'https://client.example.com/callback#fragment',
    'myapp:/callback',
    'not a uri',
  ])('mcp.md 23: refuses the redirect URI %s', async (uri) => {
    for (const type of ['native', 'web']) {
      const { status, body } = await server.register({
        redirect_uris: [uri],
        application_type: type,
        token_endpoint_auth_method: 'none',
      });
      expect(status).toBe(400);
      expect(body['error']).toBe('invalid_redirect_uri');
    }
  });

  it.each([
    ['grants that nobody gave it', { grant_types: ['client_credentials'], redirect_uris: [] }],
    ['an unknown authentication method', { token_endpoint_auth_method: 'tls_client_auth' }],
    ['no redirect URI', { redirect_uris: [] }],
  ])('RFC 7591 §3.2.2: refuses %s', async (_case, metadata) => {
    const { status, body } = await server.register({
      redirect_uris: ['http://localhost/callback'],
      ...metadata,
    });
    expect(status).toBe(400);
    expect(body['error']).toMatch(/^invalid_(client_metadata|redirect_uri)$/);
  });

  it('never lets a stranger register for token exchange', async () => {
    const { body } = await server.register({
      redirect_uris: ['http://localhost/callback'],
      grant_types: [
        'authorization_code',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'client_credentials',
      ],
    });
    expect(body['grant_types']).toEqual(['authorization_code']);
  });

  it.each([
    [['authorization_code', 'refresh_token'], true],
    [['authorization_code'], false],
    [undefined, false],
  ])('mcp.md 36: grant types %j give a refresh token: %s', async (grantTypes, expected) => {
    const { body: client } = await server.register({
      redirect_uris: ['http://localhost/callback'],
      token_endpoint_auth_method: 'none',
      ...(grantTypes && { grant_types: grantTypes }),
    });
    const clientId = String(client['client_id']);
    const redirect_uri = 'http://localhost:3333/callback';
    const code = (await server.authorize({ client_id: clientId, redirect_uri })).get('code');
    const { status, body } = await server.redeem(code, { client_id: clientId, redirect_uri }, null);
    expect(status).toBe(200);
    expect('refresh_token' in body).toBe(expected);
  });

  it('keeps a digest of the secret only, which still authenticates', async () => {
    const { body: client } = await server.register({
      redirect_uris: ['https://client.example.com/callback'],
      token_endpoint_auth_method: 'client_secret_post',
    });
    const stored = await server.records.list({ name: 'oidc-client', schema: z.unknown() });
    expect(JSON.stringify(stored)).toContain(String(client['client_id']));
    expect(JSON.stringify(stored)).not.toContain(String(client['client_secret']));

    const clientId = String(client['client_id']);
    for (const [secret, status] of [
      [String(client['client_secret']), 200],
      ['wrong', 401],
    ] as const) {
      const code = (await server.authorize({ client_id: clientId })).get('code');
      const answer = await server.redeem(code, { client_id: clientId, client_secret: secret }, null);
      expect(answer.status).toBe(status);
    }
  });

  it('says when to come back once too many have registered', async () => {
    const limited = await TestServer.start({ server: { registration: { perMinute: 2 } } });
    const metadata = { redirect_uris: ['http://localhost/callback'] };
    const attempt = () =>
      fetch(`${limited.issuer}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(metadata),
      });
    expect([(await attempt()).status, (await attempt()).status]).toEqual([201, 201]);
    const refused = await attempt();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await limited.passSeconds(61);
    expect((await attempt()).status).toBe(201);
    await limited.close();
  });

  it('does not happen when it cannot be recorded', async () => {
    server.audit.push = () => {
      throw new Error('disk full');
    };
    const refused = await fetch(`${server.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(real['MCP CLI Client']),
    });
    expect(refused.status).toBe(500);
    expect(await refused.json()).not.toHaveProperty('client_id');
  });

  it('is recorded in the audit log', async () => {
    const { body } = await server.register({ redirect_uris: ['http://localhost/callback'] });
    expect(server.audit).toContainEqual(
      expect.objectContaining({ type: 'registration', client: body['client_id'] }),
    );
  });
});
