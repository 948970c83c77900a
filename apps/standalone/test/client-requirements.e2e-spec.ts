import { decodeJwt } from 'jose';
import { browse } from './browse.fixture.js';
import { asMetadata, readJson, resourceMetadata } from './client-requirements.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { legacyRequest, mcpRequest } from './mcp-request.fixture.js';
import {
  authorizationRequest,
  metadataClientId,
  redirectUri,
  register,
  requestToken,
  signIn,
} from './oauth-client.fixture.js';

/** What clients find, how they register, and the endpoint that they call. */
let system: DemoSystem;
let resource: string;
beforeAll(async () => {
  system = await startDemoSystem();
  resource = system.mcpUrl('files');
}, startTimeoutMs);
afterAll(() => system?.close());

describe('1: both eras on one endpoint', () => {
  it('answers server/discover, and initialize of every older revision', async () => {
    const { access_token: token } = await signIn(system, { username: 'alice', resource });
    const discovered = await mcpRequest(resource, 'server/discover', {}, { token });
    expect(discovered.body.result).toMatchObject({
      supportedVersions: expect.arrayContaining(['2026-07-28']),
      cacheScope: expect.any(String),
    });
    for (const version of ['2025-11-25', '2025-06-18', '2025-03-26']) {
      const initialized = await legacyRequest(
        resource,
        'initialize',
        { protocolVersion: version, capabilities: {}, clientInfo: { name: 'test', version: '1' } },
        { token },
      );
      expect(initialized.body.result).toMatchObject({ protocolVersion: version });
      const session = initialized.headers.get('mcp-session-id');
      const listed = await legacyRequest(
        resource,
        'tools/list',
        {},
        { token, version, ...(session !== null && { headers: { 'mcp-session-id': session } }) },
      );
      expect(listed.body.result.tools.length).toBeGreaterThan(0);
    }
  });

  it('does not hold back what a subscriptions/listen stream says first', async () => {
    const { access_token: token } = await signIn(system, { username: 'alice', resource });
    const abort = new AbortController();
    const version = '2026-07-28';
    const response = await fetch(resource, {
      method: 'POST',
      signal: abort.signal,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': version,
        'mcp-method': 'subscriptions/listen',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 'listen',
        method: 'subscriptions/listen',
        params: {
          notifications: { toolsListChanged: true },
          _meta: {
            'io.modelcontextprotocol/protocolVersion': version,
            'io.modelcontextprotocol/clientCapabilities': {},
          },
        },
      }),
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toContain('notifications/subscriptions/acknowledged');
    abort.abort();
  });
});

it('7: public clients are advertised and registered', async () => {
  expect((await asMetadata(system)).token_endpoint_auth_methods_supported).toContain('none');
  const { status, body } = await register(system, {
    client_name: 'MCP CLI Client',
    redirect_uris: ['http://localhost:4711/oauth/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  });
  expect(status).toBe(201);
  expect(body).toMatchObject({ client_id: expect.any(String), token_endpoint_auth_method: 'none' });
  expect(body.client_secret).toBeUndefined();
  expect(body.client_id).not.toMatch(/^https:/);
});

describe('8: loopback ports', () => {
  it.each([
    ['127.0.0.1', 'native'],
    ['localhost', 'native'],
    ['[::1]', 'native'],
    ['127.0.0.1', 'web'],
    ['localhost', undefined],
  ])('are free on %s with application_type %s', async (host, applicationType) => {
    const { status, body } = await register(system, {
      redirect_uris: [`http://${host}:1234/callback`],
      token_endpoint_auth_method: 'none',
      ...(applicationType && { application_type: applicationType }),
    });
    expect(status).toBe(201);
    const other = `http://${host}:43210/callback`;
    const { url } = authorizationRequest(system, {
      client_id: body.client_id,
      redirect_uri: other,
      resource,
    });
    const back = await browse(url, 'alice');
    expect(`${back.origin}${back.pathname}`).toBe(other);
    expect(back.searchParams.get('code')).not.toBeNull();
  });

  it('are free for metadata documents, which name none', async () => {
    const { url } = authorizationRequest(system, {
      redirect_uri: 'http://localhost:50123/oauth/callback',
      resource,
    });
    expect((await browse(url, 'alice')).searchParams.get('code')).not.toBeNull();
  });

  it('are all that is free', async () => {
    const other = { redirect_uri: 'http://127.0.0.1:47114/other', resource };
    const response = await fetch(authorizationRequest(system, other).url, { redirect: 'manual' });
    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
  });

  it.each([
    ['editors', ['https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/']],
    ['inspectors', ['http://localhost:6274/oauth/callback', 'http://localhost:6274/oauth/callback/debug']],
  ])('do not keep %s from registering', async (_who, redirectUris) => {
    expect(
      (await register(system, { redirect_uris: redirectUris, token_endpoint_auth_method: 'none' })).status,
    ).toBe(201);
  });
});

it('10: the resource metadata stands at the path-inserted URL and names exactly the MCP URL', async () => {
  const { headers } = await mcpRequest(resource, 'tools/list');
  const { origin, pathname } = new URL(resource);
  expect(headers.get('www-authenticate')).toContain(
    `resource_metadata="${origin}/.well-known/oauth-protected-resource${pathname}"`,
  );
  expect(await resourceMetadata(resource)).toMatchObject({
    resource,
    authorization_servers: [system.issuer],
    bearer_methods_supported: ['header'],
  });
});

it('11: a copy of the authorization server metadata stands on the origin of the MCP server', async () => {
  const original = await asMetadata(system);
  const copy = await readJson(`${new URL(resource).origin}/.well-known/oauth-authorization-server`);
  const { authorization_endpoint: endpoint, ...rest } = original;
  expect(copy).toMatchObject(rest);
  const copied = new URL(copy.authorization_endpoint);
  expect(`${copied.origin}${copied.pathname}`).toBe(endpoint);

  // Clients of 2025-03-26 cannot name a resource: the copy does it for them.
  const legacyDefault = system.mcpUrl('everything');
  expect(copied.searchParams.get('resource')).toBe(legacyDefault);
  const { url, verifier } = authorizationRequest(system, { resource: legacyDefault });
  const code = (await browse(url, 'alice')).searchParams.get('code') ?? '';
  const { body } = await requestToken(system, {
    grant_type: 'authorization_code',
    code,
    code_verifier: verifier,
    redirect_uri: redirectUri,
    client_id: metadataClientId,
  });
  expect(decodeJwt(body.access_token).aud).toBe(legacyDefault);
});

it.each(['POST', 'GET', 'HEAD'])('14: %s on the MCP URL answers 401, with Bearer first', async (method) => {
  const response = await fetch(resource, {
    method,
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
    ...(method === 'POST' && { body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' }),
  });
  expect(response.status).toBe(401);
  expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /);
});

describe('15: pages of other origins', () => {
  const origin = 'http://localhost:6274';
  const targets = (): [string, string][] => {
    const { origin: gateway, pathname } = new URL(resource);
    const { paths } = system.config.authorizationServer;
    return [
      [`${gateway}/.well-known/oauth-protected-resource${pathname}`, 'GET'],
      [`${gateway}/.well-known/oauth-authorization-server`, 'GET'],
      [`${system.issuer}/.well-known/oauth-authorization-server`, 'GET'],
      [`${system.issuer}/.well-known/openid-configuration`, 'GET'],
      [`${system.issuer}${paths.registration}`, 'POST'],
      [`${system.issuer}${paths.token}`, 'POST'],
      [resource, 'POST'],
    ];
  };

  it('may ask first, and may then send the headers that clients send', async () => {
    for (const [url, method] of targets()) {
      const response = await fetch(url, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': method,
          'access-control-request-headers': 'authorization,content-type,mcp-protocol-version',
        },
      });
      expect(response.ok).toBe(true);
      expect([origin, '*']).toContain(response.headers.get('access-control-allow-origin'));
      const allowed = response.headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
      for (const header of ['authorization', 'content-type', 'mcp-protocol-version']) {
        expect(`${url}: ${allowed}`).toContain(header);
      }
    }
  });

  it('may send every MCP header, and read the challenge', async () => {
    const preflight = await fetch(resource, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
    const allowed = preflight.headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
    for (const header of ['mcp-method', 'mcp-name', 'mcp-session-id']) expect(allowed).toContain(header);
    const { headers } = await mcpRequest(resource, 'tools/list', {}, { headers: { origin } });
    const exposed = headers.get('access-control-expose-headers')?.toLowerCase() ?? '';
    expect(exposed).toContain('www-authenticate');
    expect(exposed).toContain('mcp-session-id');
  });

  it('may read the answers of the authorization server, errors too', async () => {
    const { paths } = system.config.authorizationServer;
    const response = await fetch(`${system.issuer}${paths.token}`, {
      method: 'POST',
      headers: { origin },
      body: new URLSearchParams({ grant_type: 'authorization_code', client_id: 'nobody' }),
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect([origin, '*']).toContain(response.headers.get('access-control-allow-origin'));
  });
});
