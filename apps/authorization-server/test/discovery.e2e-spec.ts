import { TestServer } from './test-server.js';

describe('discovery', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start();
  });
  afterAll(() => server.close());

  const getJson = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetch(`${server.issuer}${path}`)).json()) as Record<string, unknown>;

  it('RFC 8414 and OpenID discovery are the same document', async () => {
    const oauth = await getJson('/.well-known/oauth-authorization-server');
    expect(oauth).toEqual(await getJson('/.well-known/openid-configuration'));
    expect(oauth).toMatchObject({
      issuer: server.issuer,
      authorization_endpoint: `${server.issuer}/auth`,
      token_endpoint: `${server.issuer}/token`,
      registration_endpoint: `${server.issuer}/register`,
      jwks_uri: `${server.issuer}/jwks`,
      introspection_endpoint: `${server.issuer}/introspect`,
      revocation_endpoint: `${server.issuer}/revoke`,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      scopes_supported: ['openid', 'profile'],
    });
  });

  it('mcp.md 14, clients.md 7: lists none among the token endpoint methods', async () => {
    const { token_endpoint_auth_methods_supported: methods } = await getJson(
      '/.well-known/oauth-authorization-server',
    );
    expect(methods).toEqual(['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt']);
  });

  it('lists the grants it serves', async () => {
    const { grant_types_supported: grants } = await getJson('/.well-known/oauth-authorization-server');
    expect(grants).toEqual(
      expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']),
    );
    expect(grants).not.toContain('implicit');
  });

  it('builds URLs from the issuer, never from the Host header', async () => {
    const { request } = await import('node:http');
    const body = await new Promise<string>((resolve, reject) => {
      request(
        `${server.service.url}/.well-known/oauth-authorization-server`,
        { headers: { host: 'evil.example.com', 'x-forwarded-host': 'evil.example.com' } },
        (response) => {
          let text = '';
          response.on('data', (chunk) => (text += String(chunk))).on('end', () => resolve(text));
        },
      )
        .on('error', reject)
        .end();
    });
    expect(body).toContain(server.issuer);
    expect(body).not.toContain('evil.example.com');
  });

  it.each(['//', '//host/path', '/%zz', '/?x#y'])(
    'answers %s, which is nowhere, as what is not there',
    async (path) => {
      const { request } = await import('node:http');
      const status = await new Promise((resolve, reject) => {
        request(server.service.url, { path }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
      expect(status).toBe(404);
    },
  );

  it('publishes ES256 and RS256 keys without private members', async () => {
    const { keys } = (await getJson('/jwks')) as { keys: Record<string, unknown>[] };
    expect(new Set(keys.map(({ alg }) => alg))).toEqual(new Set(['ES256', 'RS256']));
    for (const key of keys) expect(Object.keys(key)).not.toEqual(expect.arrayContaining(['d']));
  });

  it.each([
    ['/.well-known/oauth-authorization-server', 'GET'],
    ['/.well-known/openid-configuration', 'GET'],
    ['/jwks', 'GET'],
    ['/register', 'POST'],
    ['/token', 'POST'],
    ['/revoke', 'POST'],
    ['/userinfo', 'GET'],
  ])('clients.md 15: pages of any origin may call %s', async (path, method) => {
    const origin = 'http://localhost:6274';
    const preflight = await fetch(`${server.issuer}${path}`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'content-type,mcp-protocol-version',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toMatch(/content-type/i);
    const answer = await fetch(`${server.issuer}${path}`, { method, headers: { origin } });
    for (const { headers } of [preflight, answer]) {
      expect(headers.get('access-control-allow-origin')).toBe('*');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  it.each(['/auth', '/introspect', '/interaction/x', '/admin/audit'])(
    'lets no foreign page read %s',
    async (path) => {
      const answer = await fetch(`${server.issuer}${path}`, {
        headers: { origin: 'https://evil.example.com' },
      });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});

describe('an issuer with a path, behind a TLS proxy', () => {
  const issuer = 'https://id.example.com/tenant';
  let server: TestServer;
  beforeAll(async () => {
    server = await TestServer.start({ server: { issuer } });
  });
  afterAll(() => server.close());

  it.each([
    '/.well-known/oauth-authorization-server/tenant',
    '/.well-known/openid-configuration/tenant',
    '/tenant/.well-known/openid-configuration',
  ])('mcp.md 6: has its metadata at %s', async (path) => {
    const document: unknown = await (await fetch(`${server.service.url}${path}`)).json();
    expect(document).toMatchObject({ issuer, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks` });
  });

  it('mcp.md 40: sets secure cookies with prefixes, and sends people to its public address', async () => {
    const { pathname, search } = server.authorizationUrl();
    const response = await fetch(`${server.service.url}${pathname}${search}`, { redirect: 'manual' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toMatch(/^https:\/\/id\.example\.com\/tenant\/interaction\//);
    const cookies = response.headers.getSetCookie();
    expect(cookies.length).toBeGreaterThan(0);
    for (const cookie of cookies) {
      expect(cookie).toMatch(/^__(Host|Secure)-/);
      expect(cookie).toMatch(/; secure/i);
      expect(cookie).toMatch(/; httponly/i);
      expect(cookie).toMatch(/; samesite=lax/i);
    }
  });
});
