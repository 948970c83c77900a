import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asFetch, createGuardedFetch } from '@behalf/adapter-http';
import { testCertificate } from '@behalf/testing';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { redirectUri, TestServer } from './test-server.js';

const pinnedUrl = 'https://pinned.example.com/client.json';

describe('client metadata documents', () => {
  let server: TestServer;
  let documents: Server;
  let origin: string;
  let folder: string;
  let fetched: string[];
  /** Answers by path; each test sets its own. */
  const answers = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();

  beforeAll(async () => {
    documents = createServer(testCertificate, (request, response) => {
      fetched.push(request.url ?? '');
      const answer = answers.get(request.url ?? '');
      if (answer) answer(request, response);
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => documents.listen(0, '127.0.0.1', resolve));
    origin = `https://a.test:${(documents.address() as AddressInfo).port}`;
    folder = await mkdtemp(join(tmpdir(), 'behalf-'));
    await writeFile(
      join(folder, 'client.json'),
      JSON.stringify({ client_id: pinnedUrl, client_name: 'Pinned', redirect_uris: [redirectUri] }),
    );
  });
  afterAll(async () => {
    documents.closeAllConnections();
    await new Promise((resolve) => documents.close(resolve));
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    fetched = [];
    answers.clear();
    const addresses: Record<string, string> = { 'a.test': '127.0.0.1', 'inside.test': '10.1.2.3' };
    server = await TestServer.start({
      server: { clientIdMetadata: { pinned: [{ url: pinnedUrl, file: join(folder, 'client.json') }] } },
      fetch: asFetch(
        createGuardedFetch({
          allowLoopback: true,
          maxBytes: 64 * 1024,
          timeoutMs: 2_000,
          ca: testCertificate.cert,
          resolve: async (host) => [addresses[host] ?? '192.168.0.1'],
        }),
      ),
    });
  });
  afterEach(() => server.close());

  /** Serves a document at a path; the client id it is then known by. */
  function serve(
    path: string,
    document: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ): string {
    const clientId = `${origin}${path}`;
    const body = { client_id: clientId, client_name: 'App', redirect_uris: [redirectUri], ...document };
    answers.set(path, (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body)),
    );
    return clientId;
  }

  const open = (clientId: string, parameters: Record<string, string> = {}) =>
    server.browser.open(server.authorizationUrl({ client_id: clientId, ...parameters }));

  it('mcp.md 10: a client known by its document completes the flow, and its host is shown', async () => {
    const clientId = serve('/client.json', {
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
    });
    const signIn = await open(clientId);
    const consent = await server.browser.submit(signIn, { username: 'alice', password: 'alice' });
    expect(consent.html).toContain(new URL(origin).host);

    const code = (await server.authorize({ client_id: clientId })).get('code');
    const { status, body } = await server.redeem(code, { client_id: clientId }, null);
    expect(status).toBe(200);
    expect((await server.claims(body.access_token))['client_id']).toBe(clientId);
    expect((await server.refresh(body.refresh_token, { client_id: clientId }, null)).status).toBe(200);
  });

  it.each([
    ['no authentication method', {}],
    ['a list of them (mcp.md 18)', { token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'] }],
    ['unknown members', { software_version: '1', 'x-y': { z: 1 }, application_type: 'something' }],
    ['grants that are not served', { grant_types: ['authorization_code', 'refresh_token', 'implicit'] }],
    ['scopes that are not known', { scope: 'a b c' }],
  ])('accepts a document with %s', async (_case, document) => {
    expect((await open(serve('/client.json', document))).status).toBe(200);
  });

  it('clients.md 8: loopback redirect URIs in a document match on every port', async () => {
    const clientId = serve('/client.json', {
      redirect_uris: ['https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://localhost/callback'],
    });
    expect((await open(clientId, { redirect_uri: 'http://127.0.0.1:33418/' })).status).toBe(200);
    expect((await open(clientId, { redirect_uri: 'http://localhost:5/callback' })).status).toBe(200);
    expect((await open(clientId, { redirect_uri: 'http://localhost:5/other' })).status).toBe(400);
  });

  it.each([
    ['names another client_id', { client_id: 'https://other.example.com/client.json' }],
    ['holds a secret', { client_secret: 'x' }],
    ['uses a shared secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['has no redirect URIs', { redirect_uris: [] }],
    ['has no name', { client_name: undefined }],
    ['redirects to plain http', { redirect_uris: ['http://evil.example.com/'] }],
    ['is larger than 5 KB', { padding: 'x'.repeat(5 * 1024) }],
  ])('mcp.md 12: refuses a document that %s', async (_case, document) => {
    const page = await open(serve('/client.json', document));
    expect(page.status).toBeGreaterThanOrEqual(400);
    expect(page.url.origin).toBe(server.issuer);
  });

  it.each([
    ['redirects', 302],
    ['is missing', 404],
    ['is an error', 500],
    ['is not there yet', 202],
  ])('mcp.md 14: refuses a document that %s, and follows nothing', async (_case, status) => {
    const elsewhere = serve('/elsewhere.json');
    answers.set('/client.json', (_request, response) =>
      response.writeHead(status, { location: elsewhere }).end(),
    );
    expect((await open(`${origin}/client.json`)).status).toBe(400);
    expect(fetched).not.toContain('/elsewhere.json');
  });

  it('mcp.md 14: refuses a host that resolves to a private address', async () => {
    expect((await open('https://inside.test/client.json')).status).toBe(400);
    expect((await open('https://10.0.0.1/client.json')).status).toBe(400);
    expect((await open('https://169.254.169.254/latest')).status).toBe(400);
  });

  it.each(['', '/a/../client.json', '/client.json#fragment'])(
    'mcp.md 14: fetches nothing for the client id https://a.test%s',
    async (rest) => {
      expect((await open(`${origin}${rest}`)).status).toBe(400);
      expect((await open(`${origin.replace('https://', 'https://user@')}${rest}`)).status).toBe(400);
      expect((await open(`${origin.replace('https:', 'http:')}/client.json`)).status).toBe(400);
      expect(fetched).toEqual([]);
    },
  );

  it('mcp.md 14: does not cache errors', async () => {
    answers.set('/client.json', (_request, response) => response.writeHead(500).end());
    expect((await open(`${origin}/client.json`)).status).toBe(400);
    serve('/client.json');
    expect((await open(`${origin}/client.json`)).status).toBe(200);
  });

  it.each([
    ['max-age=600', 1],
    ['no-store', 2],
    ['max-age=600, no-cache', 2],
  ])('mcp.md 12: heeds Cache-Control: %s', async (header, least) => {
    const clientId = serve('/client.json', {}, { 'cache-control': header });
    const { Client } = await currentProvider();
    await Client.find(clientId);
    await Client.find(clientId);
    expect(fetched).toHaveLength(least);
  });

  it('reads pinned documents from files and fetches nothing', async () => {
    expect((await open(pinnedUrl)).status).toBe(200);
    expect(fetched).toEqual([]);
  });

  it('cannot be used by strangers to press on a host', async () => {
    const { Client } = await currentProvider();
    for (let n = 0; n < 130; n++) await Client.find(`${origin}/missing/${n}.json`).catch(() => undefined);
    expect(fetched).toHaveLength(120);
    expect((await open(pinnedUrl)).status).toBe(200);
  });

  it('mcp.md 13: asks only the hosts that the operator allows', async () => {
    const restricted = await TestServer.start({
      server: { clientIdMetadata: { allowedHosts: ['allowed.example.com'] } },
      fetch: () => Promise.reject(new Error('must not be called')),
    });
    const page = await restricted.browser.open(
      restricted.authorizationUrl({ client_id: serve('/client.json') }),
    );
    expect(page.status).toBe(400);
    await restricted.close();
  });

  it('RFC 7523bis: private_key_jwt is enforced, with the issuer as the only audience', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const clientId = serve('/client.json', {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
    });
    const assertion = (audience: string | string[]) =>
      new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime('1m')
        .sign(privateKey);
    const redeem = async (more: Record<string, string>) => {
      const code = (await server.authorize({ client_id: clientId })).get('code');
      return (await server.redeem(code, { client_id: clientId, ...more }, null)).status;
    };
    const withAssertion = async (audience: string | string[]) =>
      redeem({
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await assertion(audience),
      });
    expect(await withAssertion(server.issuer)).toBe(200);
    expect(await withAssertion(`${server.issuer}/token`)).toBe(401);
    expect(await withAssertion([server.issuer, `${server.issuer}/token`])).toBe(401);
    expect(await redeem({})).toBe(401);
  });

  async function currentProvider() {
    const { PROVIDER_HOLDER } = await import('../src/tokens.js');
    const holder =
      server.service.app.get<import('../src/provider-holder.js').ProviderHolder>(PROVIDER_HOLDER);
    return holder.current;
  }
});
