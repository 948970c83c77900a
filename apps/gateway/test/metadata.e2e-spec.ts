import { startFakeIssuer } from './fake-issuer.js';
import { type TestGateway, publicUrl, startTestGateway } from './gateway-fixture.js';

describe('what anybody may know', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    const upstream = {
      transport: 'http',
      url: 'http://127.0.0.1:1/mcp',
      name: 'Tools',
      token: { kind: 'none' },
    };
    gateway = await startTestGateway({
      upstreams: {
        tools: { ...upstream, scopes: { default: ['a', 'b'], tools: { x: ['c'] } } },
        other: upstream,
      },
      gateway: { legacyDefaultUpstream: 'other' },
    });
  });
  afterAll(() => gateway.close());

  const read = async (path: string) => {
    const response = await fetch(`${gateway.url}/.well-known/${path}`, {
      headers: { origin: 'https://any.example' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('a protected resource publishes its metadata at the path-inserted place', async () => {
    expect(await read('oauth-protected-resource/mcp/tools')).toEqual({
      status: 200,
      body: {
        resource: `${publicUrl}/mcp/tools`,
        authorization_servers: [gateway.issuer.url],
        // What a client needs to begin with; the scope of one tool comes with its challenge.
        scopes_supported: ['a', 'b'],
        bearer_methods_supported: ['header'],
        dpop_signing_alg_values_supported: ['ES256', 'Ed25519', 'EdDSA'],
        dpop_bound_access_tokens_required: false,
        tls_client_certificate_bound_access_tokens: false,
        resource_name: 'Tools',
      },
    });
  });

  it.each([
    'oauth-protected-resource/mcp/none',
    'oauth-protected-resource',
    'other',
    'openid-configuration/mcp/none',
  ])('nothing is at %s', async (path) => {
    expect((await read(path)).status).toBe(404);
  });

  it.each([
    ['oauth-authorization-server', 'other'],
    ['openid-configuration', 'other'],
    ['oauth-authorization-server/mcp/tools', 'tools'],
  ])(
    '%s is a copy of the issuer’s, and names the resource for clients that cannot',
    async (path, upstream) => {
      const { body } = await read(path);
      const resource = encodeURIComponent(`${publicUrl}/mcp/${upstream}`);
      expect(body).toMatchObject({
        issuer: gateway.issuer.url,
        authorization_endpoint: `${gateway.issuer.url}/auth?resource=${resource}`,
        token_endpoint: `${gateway.issuer.url}/token`,
      });
    },
  );

  it('the copy is refused, not invented, while the issuer is away', async () => {
    const issuer = await startFakeIssuer();
    issuer.close();
    const alone = await startTestGateway({ issuer, upstreams: {} });
    const response = await fetch(`${alone.url}/.well-known/oauth-authorization-server`);
    expect([response.status, response.headers.has('retry-after')]).toEqual([503, true]);
    await alone.close();
  });

  it('a preflight needs no token', async () => {
    const response = await fetch(`${gateway.url}/mcp/tools`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:6274',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, mcp-protocol-version, mcp-param-region, x-other',
      },
    });
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'http://localhost:6274',
    ]);
    const allowed = response.headers.get('access-control-allow-headers')?.split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining([
        'authorization',
        'content-type',
        'mcp-protocol-version',
        'mcp-method',
        'mcp-name',
      ]),
    );
    expect(allowed).toContain('mcp-param-region');
    expect(allowed).not.toContain('x-other');
  });

  it('a path that is no upstream’s is nothing', async () => {
    expect((await fetch(`${gateway.url}/mcp/none`, { method: 'POST' })).status).toBe(404);
    expect((await fetch(`${gateway.url}/mcp/tools/more`, { method: 'POST' })).status).toBe(404);
  });

  it('it is ready when revocations are known and programs were tried', async () => {
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  });
});
