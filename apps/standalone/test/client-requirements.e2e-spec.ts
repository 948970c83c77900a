import { decodeJwt } from 'jose';
import { browse, browsePages } from './browse.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool, legacyRequest, mcpRequest } from './mcp-request.fixture.js';
import {
  authorizationRequest,
  metadataClientId,
  redeem,
  redirectUri,
  refresh,
  requestToken,
  signIn,
} from './oauth-client.fixture.js';

/**
 * What all real clients need of a server, by number. 2 (elicitation) and 17 (ID-JAG) come with their capabilities.
 */
let system: DemoSystem;
let resource: string;
beforeAll(async () => {
  system = await startDemoSystem();
  resource = system.mcpUrl('files');
}, startTimeoutMs);
afterAll(() => system?.close());

const json = async (url: string): Promise<any> => {
  const response = await fetch(url);
  expect(response.status).toBe(200);
  return response.json();
};
const asMetadata = (): Promise<any> => json(`${system.issuer}/.well-known/oauth-authorization-server`);
const resourceMetadata = (): Promise<any> => {
  const { origin, pathname } = new URL(resource);
  return json(`${origin}/.well-known/oauth-protected-resource${pathname}`);
};
const register = async (metadata: Record<string, unknown>): Promise<{ status: number; body: any }> => {
  const response = await fetch(`${system.issuer}${system.config.authorizationServer.paths.registration}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
  return { status: response.status, body: await response.json() };
};

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

describe('3: iss in every authorization response', () => {
  it('is advertised', async () => {
    expect(await asMetadata()).toMatchObject({
      issuer: system.issuer,
      authorization_response_iss_parameter_supported: true,
    });
  });

  it('stands in success and in errors', async () => {
    const success = await browse(authorizationRequest(system, { resource }).url, 'alice');
    expect(success.searchParams.get('code')).not.toBeNull();
    expect(success.searchParams.get('iss')).toBe(system.issuer);
    const bad = { resource: 'https://unknown.example/mcp', state: 'kept' };
    const failure = await browse(authorizationRequest(system, bad).url, 'alice');
    expect(failure.searchParams.get('error')).toBe('invalid_target');
    expect(failure.searchParams.get('iss')).toBe(system.issuer);
    expect(failure.searchParams.get('state')).toBe('kept');
  });
});

describe('4: step-up', () => {
  const write = (token: string) =>
    callTool(resource, 'write_file', { path: 'a.txt', content: 'a' }, { token });

  it('challenges with all scopes that the call needs, and alike after a refresh', async () => {
    const tokens = await signIn(system, { username: 'alice', resource });
    const first = await write(tokens.access_token);
    const challenge = first.headers.get('www-authenticate') ?? '';
    expect(first.status).toBe(403);
    expect(challenge).toContain('error="insufficient_scope"');
    expect(/scope="([^"]*)"/.exec(challenge)?.[1]?.split(' ').sort()).toEqual(['files:write', 'mcp:tools']);
    expect(challenge).toContain('resource_metadata="');

    // 1.x tries its refresh token first and compares the two challenges to see that it got nowhere.
    const refreshed = await refresh(system, tokens.refresh_token, { resource });
    const second = await write(refreshed.body.access_token);
    expect(second.status).toBe(403);
    expect(second.headers.get('www-authenticate')).toBe(challenge);
  });

  it('is not reached by a refresh that asks for more', async () => {
    const { refresh_token: token } = await signIn(system, {
      username: 'alice',
      resource,
      scope: 'mcp:tools',
    });
    const refreshed = await refresh(system, token, { resource, scope: 'mcp:tools files:write' });
    const scope = refreshed.status === 200 ? decodeJwt(refreshed.body.access_token)['scope'] : '';
    expect(scope).not.toContain('files:write');
  });

  it('adds to what was granted: asking again for the old or for both shows no consent page', async () => {
    const { body: client } = await register({
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    });
    const authorize = (scope: string) =>
      browsePages(
        authorizationRequest(system, { client_id: client.client_id, resource, scope }).url,
        'alice',
      );
    const asked = async (scope: string) => (await authorize(scope)).pages.includes('consent');
    expect(await asked('mcp:tools')).toBe(true);
    expect(await asked('files:write')).toBe(true);
    expect(await asked('mcp:tools')).toBe(false);
    expect(await asked('mcp:tools files:write')).toBe(false);
  });

  it('gives what was agreed to now and before, and to a narrower request no more than it names', async () => {
    const { body: client } = await register({
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: 'none',
    });
    const granted = async (scope: string): Promise<string[]> => {
      const tokens = await signIn(system, { username: 'alice', resource, scope, clientId: client.client_id });
      return String(decodeJwt(tokens.access_token)['scope']).split(' ').sort();
    };
    expect(await granted('mcp:tools')).toEqual(['mcp:tools']);
    expect(await granted('files:write')).toEqual(['files:write', 'mcp:tools']);
    expect(await granted('mcp:tools')).toEqual(['mcp:tools']);
  });
});

it('5: the scope of a registration is no ceiling', async () => {
  const { body: client } = await register({
    redirect_uris: [redirectUri],
    scope: 'mcp:tools',
    token_endpoint_auth_method: 'none',
  });
  const tokens = await signIn(system, {
    username: 'alice',
    resource,
    scope: 'mcp:tools files:write',
    clientId: client.client_id,
  });
  expect(String(decodeJwt(tokens.access_token)['scope']).split(' ').sort()).toEqual([
    'files:write',
    'mcp:tools',
  ]);
});

describe('6: scopes that were not thought about', () => {
  it('none at all gets the default', async () => {
    const tokens = await signIn(system, { username: 'alice', resource });
    expect(decodeJwt(tokens.access_token)['scope']).toBe('mcp:tools');
  });

  it('everything that the authorization server lists, and more, is narrowed and not refused', async () => {
    const { scopes_supported: listed } = await asMetadata();
    const tokens = await signIn(system, {
      username: 'alice',
      resource,
      scope: [...listed, 'offline_access', 'mcp:tools', 'made:up'].join(' '),
    });
    const granted = String(decodeJwt(tokens.access_token)['scope']).split(' ');
    expect(granted).toContain('mcp:tools');
    expect(granted).not.toContain('made:up');
    expect(granted).not.toContain('offline_access');
  });

  it('the resource lists what a client begins with, the authorization server nothing that does something', async () => {
    expect((await resourceMetadata()).scopes_supported).toEqual(['mcp:tools']);
    const { scopes_supported: listed } = await asMetadata();
    expect(listed).not.toContain('admin');
    expect(listed).not.toContain('files:write');
  });
});

it('7: public clients are advertised and registered', async () => {
  expect((await asMetadata()).token_endpoint_auth_methods_supported).toContain('none');
  const { status, body } = await register({
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
    const { status, body } = await register({
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
    expect((await register({ redirect_uris: redirectUris, token_endpoint_auth_method: 'none' })).status).toBe(
      201,
    );
  });
});

it('9: state is not required', async () => {
  const back = await browse(authorizationRequest(system, { resource, state: undefined }).url, 'alice');
  expect(back.searchParams.get('code')).not.toBeNull();
  expect(back.searchParams.get('state')).toBeNull();
});

it('10: the resource metadata stands at the path-inserted URL and names exactly the MCP URL', async () => {
  const { headers } = await mcpRequest(resource, 'tools/list');
  const { origin, pathname } = new URL(resource);
  expect(headers.get('www-authenticate')).toContain(
    `resource_metadata="${origin}/.well-known/oauth-protected-resource${pathname}"`,
  );
  expect(await resourceMetadata()).toMatchObject({
    resource,
    authorization_servers: [system.issuer],
    bearer_methods_supported: ['header'],
  });
});

it('11: a copy of the authorization server metadata stands on the origin of the MCP server', async () => {
  const original = await asMetadata();
  const copy = await json(`${new URL(resource).origin}/.well-known/oauth-authorization-server`);
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

describe('12: lifetimes', () => {
  it('of access tokens are above 300 s', async () => {
    const { expires_in: seconds } = await signIn(system, { username: 'alice', resource });
    expect(seconds).toBeGreaterThan(300);
  });

  it('refreshes are limited per grant', async () => {
    // Somebody of whom no other test needs a refresh.
    let { refresh_token: token } = await signIn(system, { username: 'carol', resource });
    const other = await signIn(system, { username: 'bob', resource });
    const statuses: number[] = [];
    for (let i = 0; i < 100 && !statuses.includes(429); i += 1) {
      const { status, body, headers } = await refresh(system, token, { resource });
      statuses.push(status);
      token = body.refresh_token ?? token;
      if (status === 429) expect(headers.get('retry-after')).not.toBeNull();
    }
    expect(statuses).toContain(429);
    expect((await refresh(system, other.refresh_token, { resource })).status).toBe(200);
  });
});

describe('13: refresh rotation', () => {
  it('answers parallel refreshes of the same client', async () => {
    const { refresh_token: token } = await signIn(system, { username: 'alice', resource });
    const answers = await Promise.all([1, 2, 3].map(() => refresh(system, token, { resource })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const { body } of answers) {
      const call = await mcpRequest(resource, 'tools/list', {}, { token: body.access_token });
      expect(call.status).toBe(200);
    }
    const next = await refresh(system, answers.at(-1)?.body.refresh_token, { resource });
    expect(next.status).toBe(200);
  });

  it('refuses a refresh token under another client id', async () => {
    const { refresh_token: token } = await signIn(system, { username: 'alice', resource });
    const answer = await refresh(system, token, { client_id: 'demo-client' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
  });
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

describe('16: our defence does not rely on what clients verify', () => {
  it('a code is worth nothing to another client, for another redirect URI, or without its verifier', async () => {
    const attempt = async (changed: Record<string, string | undefined>) => {
      const { url, verifier } = authorizationRequest(system, { resource });
      const code = (await browse(url, 'alice')).searchParams.get('code') ?? '';
      return requestToken(system, {
        grant_type: 'authorization_code',
        code,
        code_verifier: verifier,
        redirect_uri: redirectUri,
        client_id: url.searchParams.get('client_id') ?? '',
        ...changed,
      });
    };
    expect((await attempt({})).status).toBe(200);
    for (const changed of [
      { client_id: 'demo-client' },
      { redirect_uri: 'http://127.0.0.1:47115/callback' },
      { code_verifier: undefined },
      { code_verifier: 'a'.repeat(43) },
    ]) {
      const { status, body } = await attempt(changed);
      expect([changed, status, body.error]).toEqual([changed, 400, 'invalid_grant']);
    }
  });
});

describe('18: the resource is compared as a string', () => {
  it('accepts an upper-case scheme and host, and issues for the published bytes', async () => {
    const shouted = resource.replace('http://localhost', 'HTTP://LOCALHOST');
    const { url, verifier } = authorizationRequest(system, { resource: shouted });
    const code = (await browse(url, 'alice')).searchParams.get('code');
    const { status, body } = await redeem(system, { code, verifier, resource: shouted });
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token).aud).toBe(resource);
  });

  it('knows no other spelling of the path', async () => {
    for (const other of [`${resource}/`, resource.replace('/mcp/', '/MCP/'), `${resource}#x`]) {
      const back = await browse(authorizationRequest(system, { resource: other }).url, 'alice');
      expect([other, back.searchParams.get('error')]).toEqual([other, 'invalid_target']);
    }
  });
});
