import { jest } from '@jest/globals';
import { SignJWT, decodeJwt, decodeProtectedHeader, generateKeyPair } from 'jose';
import { type Server, createServer } from 'node:net';
import { browse } from './browse.fixture.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { callTool, mcpRequest } from './mcp-request.fixture.js';
import {
  type Parameters,
  authorizationRequest,
  redeem,
  redirectUri,
  refresh,
  signIn,
} from './oauth-client.fixture.js';

let system: DemoSystem;
let url: string;
let token: string;
beforeAll(async () => {
  // With a default for clients that cannot name a resource, a missing one would not be refused.
  system = await startDemoSystem({ adjust: (file) => delete file['gateway'].legacyDefaultUpstream });
  url = system.mcpUrl('everything');
  ({ access_token: token } = await signIn(system, { username: 'alice', resource: url }));
}, startTimeoutMs);
afterAll(() => system?.close());

afterEach(() => {
  system.passSeconds(0);
  jest.useRealTimers();
});

const list = (presented?: string) => mcpRequest(url, 'tools/list', {}, { token: presented });
const errorOf = (challenge: string | null) => /error="([^"]*)"/.exec(challenge ?? '')?.[1];

describe('a token', () => {
  it('that is valid is accepted, so that the refusals below mean something', async () => {
    expect((await list(token)).status).toBe(200);
  });

  it('that is missing: 401, and no error code that blames one', async () => {
    const { status, headers } = await list();
    expect(status).toBe(401);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer .*resource_metadata=/);
    expect(errorOf(headers.get('www-authenticate'))).toBeUndefined();
  });

  it('that has expired: 401 invalid_token', async () => {
    system.passSeconds(system.config.authorizationServer.lifetimes.accessTokenSeconds + 120);
    const { status, headers } = await list(token);
    expect([status, errorOf(headers.get('www-authenticate'))]).toEqual([401, 'invalid_token']);
  });

  it('for another server behind the same gateway: 401 invalid_token', async () => {
    const other = await signIn(system, { username: 'alice', resource: system.mcpUrl('files') });
    const { status, headers } = await list(other.access_token);
    expect([status, errorOf(headers.get('www-authenticate'))]).toEqual([401, 'invalid_token']);
  });

  it('signed by a foreign key under our key id: 401 invalid_token', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const forged = await new SignJWT(decodeJwt(token))
      .setProtectedHeader({ ...decodeProtectedHeader(token), alg: 'ES256' })
      .sign(privateKey);
    const { status, headers } = await list(forged);
    expect([status, errorOf(headers.get('www-authenticate'))]).toEqual([401, 'invalid_token']);
  });

  it('with alg none: 401 invalid_token', async () => {
    const header = Buffer.from(JSON.stringify({ ...decodeProtectedHeader(token), alg: 'none' }));
    const { status, headers } = await list(`${header.toString('base64url')}.${token.split('.')[1]}.`);
    expect([status, errorOf(headers.get('www-authenticate'))]).toEqual([401, 'invalid_token']);
  });

  it.each(['access_token', 'token'])('in the query as %s is not seen', async (name) => {
    const answer = await mcpRequest(`${url}?${name}=${token}`, 'tools/list');
    expect([400, 401]).toContain(answer.status);
    expect(answer.body?.result).toBeUndefined();
  });

  it('presented in the header and in the query at once is refused', async () => {
    const answer = await mcpRequest(`${url}?access_token=${token}`, 'tools/list', {}, { token });
    expect(answer.status).toBe(400);
    expect(answer.body?.result).toBeUndefined();
  });

  it('that is for refreshing is none', async () => {
    const { refresh_token: other } = await signIn(system, { username: 'alice', resource: url });
    expect((await list(other)).status).toBe(401);
  });
});

describe('a message', () => {
  it.each([
    ['mcp-method', 'tools/list'],
    ['mcp-name', 'add'],
    ['mcp-protocol-version', '2025-11-25'],
  ])('whose %s header says something else: 400 HeaderMismatch', async (name, value) => {
    const { status, body } = await callTool(
      url,
      'echo',
      { message: 'x' },
      { token, headers: { [name]: value } },
    );
    expect(status).toBe(400);
    expect(body.error.code).toBe(-32020);
  });

  it('that names an unknown tool is refused without a word on whether it exists', async () => {
    const unknown = await callTool(url, 'no-such-tool', {}, { token });
    expect(unknown.body.result?.isError ?? unknown.body.error !== undefined).toBe(true);
  });

  it('that calls a hidden tool is denied with a decision id', async () => {
    const { status, body } = await callTool(url, 'get-env', {}, { token });
    expect(status).toBe(200);
    expect(body.result.isError).toBe(true);
    expect(JSON.stringify(body)).not.toContain('PATH');
    expect(Object.values(body.result._meta)).toContainEqual({ id: expect.any(String) });
  });

  it('is decided on its arguments, too', async () => {
    const { body } = await callTool(
      url,
      'trigger-long-running-operation',
      { duration: 601, steps: 1 },
      { token },
    );
    expect(body.result.isError).toBe(true);
  });

  it.each([
    ['not JSON', '{"jsonrpc":', 400],
    ['a duplicate key', '{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}', 400],
    [
      'a duplicate key in arguments',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"message":"a","message":"b"}}}',
      400,
    ],
    [
      'deep nesting',
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}`,
      400,
    ],
    ['a batch', '[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]', 400],
    ['no object', '"tools/list"', 400],
    [
      'a byte too many',
      JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { x: 'x'.repeat(5_000_000) } }),
      413,
    ],
  ])('that is %s is refused', async (_what, rawBody, status) => {
    const answer = await mcpRequest(url, 'tools/list', {}, { token, rawBody });
    expect(answer.status).toBe(status);
    // Refused for what it is, before anything is read from it.
    expect([-32700, -32600]).toContain(answer.body.error.code);
  });

  it('of a page from elsewhere: 403', async () => {
    const answer = await mcpRequest(
      url,
      'tools/list',
      {},
      { token, headers: { origin: 'https://evil.example' } },
    );
    expect(answer.status).toBe(403);
  });
});

describe('an authorization request', () => {
  const open = async (parameters: Parameters) => {
    const request = authorizationRequest(system, { resource: url, ...parameters });
    return fetch(request.url, { redirect: 'manual' });
  };

  it.each(['https://evil.example/callback', 'http://127.0.0.1.evil.example/callback', 'javascript:alert(1)'])(
    'to %s is answered on our own page',
    async (redirect) => {
      const response = await open({ redirect_uri: redirect });
      expect(response.status).toBe(400);
      expect(response.headers.get('location')).toBeNull();
    },
  );

  it.each([
    ['without PKCE', { code_challenge: undefined, code_challenge_method: undefined }],
    ['with PKCE plain', { code_challenge_method: 'plain' }],
    ['with a challenge without a method, which means plain', { code_challenge_method: undefined }],
  ])('%s: invalid_request', async (_how, parameters: Parameters) => {
    const back = new URL((await open(parameters)).headers.get('location') ?? '');
    expect(`${back.origin}${back.pathname}`).toBe(redirectUri);
    expect(back.searchParams.get('error')).toBe('invalid_request');
  });

  it('without a resource: invalid_target', async () => {
    const back = new URL(
      (await open({ resource: undefined, scope: 'mcp:tools' })).headers.get('location') ?? '',
    );
    expect(back.searchParams.get('error')).toBe('invalid_target');
  });

  describe('with a metadata document', () => {
    let server: Server;
    let connections = 0;
    let port = 0;
    beforeAll(async () => {
      server = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      port = typeof address === 'object' && address !== null ? address.port : 0;
    });
    afterAll(() => new Promise((resolve) => server.close(resolve)));

    it.each([
      'https://127.0.0.1:PORT/client.json',
      'https://localhost:PORT/client.json',
      'https://[::ffff:127.0.0.1]:PORT/client.json',
      'https://10.0.0.1/client.json',
      'https://169.254.169.254/client.json',
      'http://127.0.0.1:PORT/client.json',
    ])('at %s is refused without dialling', async (template) => {
      const before = connections;
      const response = await open({ client_id: template.replace('PORT', String(port)) });
      expect(response.status).toBe(400);
      expect(response.headers.get('location')).toBeNull();
      expect(connections).toBe(before);
    });
  });
});

describe('a code', () => {
  it('that is used again: invalid_grant, and the tokens it gave die', async () => {
    const { url: authorization, verifier } = authorizationRequest(system, { resource: url });
    const code = (await browse(authorization, 'alice')).searchParams.get('code');
    const first = await redeem(system, { code, verifier, resource: url });
    expect((await list(first.body.access_token)).status).toBe(200);
    const second = await redeem(system, { code, verifier, resource: url });
    expect(second).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
    expect((await list(first.body.access_token)).status).toBe(401);
    expect((await refresh(system, first.body.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('that is too old: invalid_grant', async () => {
    const { url: authorization, verifier } = authorizationRequest(system, { resource: url });
    const code = (await browse(authorization, 'alice')).searchParams.get('code');
    system.passSeconds(system.config.authorizationServer.lifetimes.authorizationCodeSeconds + 60);
    expect(await redeem(system, { code, verifier, resource: url })).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
  });
});

describe('a refresh token', () => {
  it('that is used again after the grace: invalid_grant, and its family dies', async () => {
    const first = await signIn(system, { username: 'alice', resource: url });
    const second = await refresh(system, first.refresh_token);
    expect(second.status).toBe(200);
    system.passSeconds(system.config.authorizationServer.lifetimes.refreshGraceSeconds + 5);
    expect((await refresh(system, first.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(system, second.body.refresh_token)).body.error).toBe('invalid_grant');
    expect((await list(second.body.access_token)).status).toBe(401);
    expect((await list(first.access_token)).status).toBe(401);
  });
});
