import { decodeJwt } from 'jose';
import { browse, browsePages } from './browse.fixture.js';
import { asMetadata, resourceMetadata } from './client-requirements.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool, mcpRequest } from './mcp-request.fixture.js';
import {
  authorizationRequest,
  redeem,
  redirectUri,
  refresh,
  register,
  requestToken,
  signIn,
} from './oauth-client.fixture.js';

/** What clients need where a person sends them to the authorization server, and of the tokens that they get. */
let system: DemoSystem;
let resource: string;
beforeAll(async () => {
  system = await startDemoSystem();
  resource = system.mcpUrl('files');
}, startTimeoutMs);
afterAll(() => system?.close());

describe('3: iss in every authorization response', () => {
  it('is advertised', async () => {
    expect(await asMetadata(system)).toMatchObject({
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
    const { body: client } = await register(system, {
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
    const { body: client } = await register(system, {
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
  const { body: client } = await register(system, {
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
    const { scopes_supported: listed } = await asMetadata(system);
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
    expect((await resourceMetadata(resource)).scopes_supported).toEqual(['mcp:tools']);
    const { scopes_supported: listed } = await asMetadata(system);
    expect(listed).not.toContain('admin');
    expect(listed).not.toContain('files:write');
  });
});

it('9: state is not required', async () => {
  const back = await browse(authorizationRequest(system, { resource, state: undefined }).url, 'alice');
  expect(back.searchParams.get('code')).not.toBeNull();
  expect(back.searchParams.get('state')).toBeNull();
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
