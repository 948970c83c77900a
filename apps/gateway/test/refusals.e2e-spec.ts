import { testKeys } from '@behalf/testing';
import { request as httpRequest } from 'node:http';
import { modernRequest } from './clients.js';
import { type TestGateway, publicUrl, startTestGateway } from './gateway-fixture.js';
import { type RecordingUpstream, startRecordingUpstream } from './recording-upstream.js';

const post = (
  body: string | Uint8Array<ArrayBuffer>,
  token: string,
  headers: Record<string, string> = {},
): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
  body,
});
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('what the gateway refuses', () => {
  let upstream: RecordingUpstream;
  let gateway: TestGateway;
  let url: string;
  let token: string;

  beforeAll(async () => {
    upstream = await startRecordingUpstream();
    gateway = await startTestGateway({
      upstreams: {
        tools: {
          transport: 'http',
          url: upstream.url,
          scopes: { default: ['mcp:tools'], tools: { allowed: ['files:write'] } },
        },
        other: { transport: 'http', url: upstream.url },
      },
      gateway: { limits: { maxBodyBytes: 10_000, maxDepth: 16 }, allowedOrigins: ['https://app.example'] },
    });
    url = `${gateway.url}/mcp/tools`;
    token = await gateway.tokenFor('tools');
  });
  beforeEach(() => {
    upstream.seen.length = 0;
    gateway.issuer.exchanges.length = 0;
  });
  afterEach(() => {
    // Whatever was refused has reached neither the upstream nor the token endpoint.
    expect(upstream.seen).toEqual([]);
    expect(gateway.issuer.exchanges).toEqual([]);
  });
  afterAll(async () => {
    await gateway.close();
    upstream.close();
  });

  describe('by token', () => {
    const metadata = `resource_metadata="${publicUrl}/.well-known/oauth-protected-resource/mcp/tools"`;

    it.each(['POST', 'GET', 'HEAD', 'DELETE'])(
      '%s without a token: 401 with a challenge, no error',
      async (method) => {
        const response = await fetch(url, { method });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBe(`Bearer scope="mcp:tools", ${metadata}`);
      },
    );

    const badTokens: [string, () => Promise<string>][] = [
      ['expired', () => gateway.tokenFor('tools', { exp: Math.floor(Date.now() / 1000) - 60 })],
      ['for another upstream', () => gateway.tokenFor('other')],
      [
        'for two audiences',
        () => gateway.tokenFor('tools', { aud: [`${publicUrl}/mcp/tools`, 'https://x'] }),
      ],
      ['of another issuer', () => gateway.tokenFor('tools', { iss: 'https://other.example' })],
      [
        'signed by a foreign key',
        async () => gateway.issuer.sign({ aud: `${publicUrl}/mcp/tools` }, await testKeys()),
      ],
      [
        'with alg none',
        async () => {
          const [, payload] = (await gateway.tokenFor('tools')).split('.');
          return `${base64url({ alg: 'none', typ: 'at+jwt' })}.${payload}.`;
        },
      ],
      ['that is no JWT', async () => 'opaque'],
    ];
    it.each(badTokens)('a token %s: 401 invalid_token', async (_name, make) => {
      const response = await fetch(url, modernRequest('tools/list', {}, { token: await make() }));
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token", /);
      expect(response.headers.get('www-authenticate')).toContain(metadata);
    });

    it('a token in the query: 400, even beside a good one', async () => {
      const response = await fetch(
        `${url}?access_token=${token}`,
        modernRequest('tools/list', {}, { token }),
      );
      expect(response.status).toBe(400);
    });

    it('a scope that is missing: 403 with all scopes the call needs', async () => {
      const call = modernRequest('tools/call', { name: 'allowed', arguments: {} }, { token });
      const response = await fetch(url, call);
      expect(response.status).toBe(403);
      const challenge = response.headers.get('www-authenticate');
      expect(challenge).toMatch(/^Bearer error="insufficient_scope", /);
      expect(challenge).toContain('scope="mcp:tools files:write"');
      expect(challenge).toContain(metadata);
    });

    it('two Authorization headers, of which somebody may have checked the other: 400', async () => {
      const { body, headers } = modernRequest('tools/list', {}, { token });
      const status = await new Promise((resolve, reject) => {
        const both = {
          ...(headers as Record<string, string>),
          authorization: [`Bearer ${token}`, 'Bearer x'],
        };
        httpRequest(url, { method: 'POST', headers: both as never }, (response) =>
          resolve(response.resume().statusCode),
        )
          .on('error', reject)
          .end(body);
      });
      expect(status).toBe(400);
    });

    it.each(['GET', 'DELETE', 'notification'])('a scope that is missing: 403 for %s, too', async (what) => {
      const unscoped = await gateway.tokenFor('tools', { scope: 'other' });
      const init: RequestInit =
        what === 'notification'
          ? post('{"jsonrpc":"2.0","method":"notifications/initialized"}', unscoped)
          : { method: what, headers: { authorization: `Bearer ${unscoped}` } };
      const response = await fetch(url, init);
      expect(response.status).toBe(403);
      expect(response.headers.get('www-authenticate')).toContain('scope="mcp:tools"');
    });

    it('a completion that refers to nothing is not decided as one of the server', async () => {
      const granted = await gateway.tokenFor('tools');
      const response = await fetch(
        url,
        modernRequest('completion/complete', { ref: {} }, { token: granted }),
      );
      expect(await response.json()).toMatchObject({ error: { code: -32602 } });
    });
  });

  describe('by headers', () => {
    const cases: [string, RequestInit | (() => RequestInit), number, number][] = [
      [
        'no MCP-Protocol-Version',
        () => modernRequest('tools/list', {}, { token, headers: { 'mcp-protocol-version': undefined } }),
        400,
        -32020,
      ],
      [
        'another MCP-Protocol-Version',
        () => modernRequest('tools/list', {}, { token, headers: { 'mcp-protocol-version': '2025-11-25' } }),
        400,
        -32020,
      ],
      [
        'no Mcp-Method',
        () => modernRequest('tools/list', {}, { token, headers: { 'mcp-method': undefined } }),
        400,
        -32020,
      ],
      [
        'another Mcp-Method',
        () => modernRequest('tools/list', {}, { token, headers: { 'mcp-method': 'tools/call' } }),
        400,
        -32020,
      ],
      [
        'no Mcp-Name',
        () => modernRequest('tools/call', { name: 'x' }, { token, headers: { 'mcp-name': undefined } }),
        400,
        -32020,
      ],
      [
        'another Mcp-Name',
        () => modernRequest('tools/call', { name: 'x' }, { token, headers: { 'mcp-name': 'y' } }),
        400,
        -32020,
      ],
      [
        'another Mcp-Name in Base64',
        () =>
          modernRequest('tools/call', { name: 'x' }, { token, headers: { 'mcp-name': '=?base64?eQ==?=' } }),
        400,
        -32020,
      ],
      [
        'Mcp-Name in bad Base64',
        () => modernRequest('tools/call', { name: 'x' }, { token, headers: { 'mcp-name': '=?base64?e?=' } }),
        400,
        -32020,
      ],
      [
        'an unknown version',
        () =>
          modernRequest(
            'tools/list',
            { _meta: { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } },
            { token, headers: { 'mcp-protocol-version': '2027-01-01' } },
          ),
        400,
        -32022,
      ],
      [
        'no client capabilities',
        () =>
          modernRequest(
            'tools/list',
            { _meta: { 'io.modelcontextprotocol/clientCapabilities': undefined } },
            { token },
          ),
        400,
        -32602,
      ],
      [
        'no envelope',
        () =>
          modernRequest(
            'tools/list',
            { _meta: { 'io.modelcontextprotocol/protocolVersion': undefined } },
            { token },
          ),
        400,
        -32602,
      ],
      ['an unknown method', () => modernRequest('tools/invent', {}, { token }), 404, -32601],
      ['a method of the other era', () => modernRequest('ping', {}, { token }), 404, -32601],
    ];
    it.each(cases)('%s', async (_name, init, status, code) => {
      const response = await fetch(url, typeof init === 'function' ? init() : init);
      const body = (await response.json()) as { id: unknown; error: { code: number; data?: unknown } };
      expect([response.status, body.error.code, body.id]).toEqual([status, code, 1]);
    });

    it('an unknown version is answered with what is supported', async () => {
      const _meta = { 'io.modelcontextprotocol/protocolVersion': '2027-01-01' };
      const headers = { 'mcp-protocol-version': '2027-01-01' };
      const response = await fetch(url, modernRequest('tools/list', { _meta }, { token, headers }));
      expect(await response.json()).toMatchObject({
        error: {
          data: { supported: ['2026-07-28'], requested: '2027-01-01' },
        },
      });
    });
  });

  describe('by body', () => {
    const list = '"jsonrpc":"2.0","id":1,"method":"tools/list"';
    const bodies: [string, string | Uint8Array<ArrayBuffer>, number, number][] = [
      ['not JSON', '{', 400, -32700],
      ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400, -32700],
      ['a duplicate key', `{${list},"method":"ping"}`, 400, -32600],
      ['a duplicate key by escape', `{${list},"m\\u0065thod":"ping"}`, 400, -32600],
      ['nested too deep', `{${list},"params":${'{"a":'.repeat(20)}1${'}'.repeat(20)}}`, 400, -32600],
      ['a batch', `[{${list}}]`, 400, -32600],
      ['an empty batch', '[]', 400, -32600],
      ['no JSON-RPC', '{"method":"tools/list","id":1}', 400, -32600],
      ['an id that is null', '{"jsonrpc":"2.0","id":null,"method":"tools/list"}', 400, -32600],
      ['a number that is not safe', `{${list},"params":{"a":9007199254740993}}`, 400, -32600],
      ['too large', `{${list},"params":{"a":"${'x'.repeat(10_000)}"}}`, 413, -32600],
    ];
    it.each(bodies)('%s', async (_name, body, status, code) => {
      const response = await fetch(url, post(body, token));
      const answer = (await response.json()) as { error: { code: number } };
      expect([response.status, answer.error.code]).toEqual([status, code]);
    });

    it('too large without saying so beforehand', async () => {
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array(20_000));
          controller.close();
        },
      });
      const init = { ...post('', token), body, duplex: 'half' } as RequestInit;
      expect((await fetch(url, init)).status).toBe(413);
    });

    it('another content type', async () => {
      expect((await fetch(url, post('{}', token, { 'content-type': 'text/plain' }))).status).toBe(415);
    });
  });

  describe('by origin', () => {
    const withHost = (host: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        httpRequest(url, { method: 'POST', headers: { host } }, (response) => {
          response.resume();
          resolve(response.statusCode);
        })
          .on('error', reject)
          .end();
      });

    it.each(['https://evil.example', 'null', 'http://localhost.evil.example'])('%s: 403', async (origin) => {
      const response = await fetch(url, modernRequest('tools/list', {}, { token, headers: { origin } }));
      expect(response.status).toBe(403);
      expect(response.headers.get('access-control-allow-origin')).toBeNull();
    });

    it.each(['https://app.example', 'http://localhost:6274', publicUrl])('%s may ask', async (origin) => {
      const response = await fetch(url, { method: 'POST', headers: { origin } });
      expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
      expect(response.headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
    });

    it('another Host: 403 (DNS rebinding)', async () => {
      expect(await withHost('evil.example')).toBe(403);
      expect(await withHost('localhost:1')).toBe(401);
    });
  });

  describe('by policy', () => {
    it('a tool that is hidden but called anyway is denied in words, with the decision', async () => {
      const call = modernRequest('tools/call', { name: 'forbidden-tool', arguments: {} }, { token });
      const response = await fetch(url, call);
      expect(response.status).toBe(200);
      expect(await response.json()).toMatchObject({
        id: 1,
        result: { isError: true, resultType: 'complete', _meta: { 'behalf/decision': { id: 'decision-1' } } },
      });
    });

    it('another method is denied by an error with the decision', async () => {
      const read = modernRequest('resources/read', { uri: 'forbidden://x' }, { token });
      expect(await (await fetch(url, read)).json()).toMatchObject({
        id: 1,
        error: { code: 403, data: { 'behalf/decision': { id: 'decision-1' } } },
      });
    });

    it('a call that names nothing is not decided as a call of the server', async () => {
      gateway.policy.asked.length = 0;
      const response = await fetch(url, modernRequest('tools/call', {}, { token }));
      expect(await response.json()).toMatchObject({ error: { code: -32602 } });
      expect(gateway.policy.asked).toEqual([]);
    });

    it('nothing is allowed while the policy service is down', async () => {
      await gateway.policy.down();
      try {
        const response = await fetch(url, modernRequest('tools/list', {}, { token }));
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).not.toBeNull();
        expect(await response.json()).toMatchObject({ id: 1, error: { code: -32603 } });
      } finally {
        await gateway.policy.up();
      }
    });
  });
});
