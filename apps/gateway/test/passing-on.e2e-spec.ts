import { modernRequest } from './clients.js';
import { type TestGateway, publicUrl, startTestGateway } from './gateway-fixture.js';
import {
  type RecordingUpstream,
  type SeenRequest,
  answerEverything,
  respond,
  startRecordingUpstream,
} from './recording-upstream.js';

const call = { name: 'allowed', arguments: { path: '/tmp/x' } };

describe('what is passed on to an upstream over http', () => {
  let upstream: RecordingUpstream;
  let gateway: TestGateway;
  let url: string;
  let token: string;
  let reply = answerEverything;

  beforeAll(async () => {
    upstream = await startRecordingUpstream((seen, response) => reply(seen, response));
    gateway = await startTestGateway({
      replicas: 1,
      upstreams: {
        tools: {
          transport: 'http',
          url: upstream.url,
          token: { kind: 'exchange', resource: 'https://tools.example/mcp', scopes: ['tools:use'] },
          timeoutMs: 5_000,
        },
      },
    });
    url = `${gateway.url}/mcp/tools`;
    token = await gateway.tokenFor('tools', { act: { sub: 'agent', client_id: 'agent' } });
    // The first modern request also asks the upstream for its era; later ones know.
    await fetch(url, modernRequest('server/discover', {}, { token }));
  });
  beforeEach(() => {
    reply = answerEverything;
    upstream.seen.length = 0;
    gateway.issuer.exchanges.length = 0;
    gateway.policy.asked.length = 0;
    gateway.issuer.refuseExchanges(undefined);
  });
  afterAll(async () => {
    await gateway.close();
    upstream.close();
  });

  it('carries a token of its own, never the caller’s, and only the headers of MCP', async () => {
    const headers = {
      cookie: 'session=secret',
      'x-api-key': 'secret',
      forwarded: 'for=1.2.3.4',
      'mcp-param-region': 'eu',
    };
    const response = await fetch(url, modernRequest('tools/call', call, { token, headers }));
    expect(await response.json()).toMatchObject({ id: 1, result: { content: [{ text: 'done' }] } });

    const [seen] = upstream.seen as [SeenRequest];
    expect(JSON.stringify([seen.headers, seen.message])).not.toContain(token);
    expect(seen.headers.authorization).toMatch(/^Bearer ey/);
    expect(seen.headers).toMatchObject({ 'mcp-method': 'tools/call', 'mcp-param-region': 'eu' });
    expect(Object.keys(seen.headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/cookie|x-api-key|forwarded/)]),
    );
  });

  it('asks for that token by RFC 8693, authenticated as the gateway', async () => {
    await fetch(url, modernRequest('tools/call', call, { token }));
    expect(gateway.issuer.exchanges).toEqual([
      {
        // RFC 6749 2.3.1: id and secret are form-encoded first.
        authorization: `Basic ${Buffer.from('demo-gateway:s%3Ae+c').toString('base64')}`,
        form: {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: token,
          subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          resource: 'https://tools.example/mcp',
          scope: 'tools:use',
        },
      },
    ]);
  });

  it('asks the policy with the person, the actors, the tool and its arguments', async () => {
    await fetch(url, modernRequest('tools/call', call, { token }));
    expect(gateway.policy.asked).toEqual([
      {
        subject: { type: 'user', id: 'alice', properties: { groups: ['eng'] } },
        action: { name: 'tools/call' },
        resource: { type: 'tool', id: 'allowed', properties: { server: 'tools' } },
        context: {
          actors: [{ sub: 'agent', client_id: 'agent' }],
          server: 'tools',
          client_id: 'test-client',
          scope: 'mcp:tools',
          aud: `${publicUrl}/mcp/tools`,
          arguments: { path: '/tmp/x' },
          supported_obligations: ['redact', 'step-up', 'approval', 'tool-approval'],
          origin: { ip: '127.0.0.1' },
        },
      },
    ]);
  });

  it('RFC 9068 §5: asks it about an agent that calls for itself as an agent, whatever its token says of groups', async () => {
    const own = await gateway.tokenFor('tools', { sub: 'reporter', client_id: 'reporter', act: undefined });
    await fetch(url, modernRequest('tools/call', call, { token: own }));
    await fetch(url, modernRequest('tools/list', {}, { token: own }));
    const subjects = gateway.policy.asked.map(({ subject }) => subject);
    expect(subjects.length).toBeGreaterThan(1);
    for (const subject of subjects) expect(subject).toEqual({ type: 'agent', id: 'reporter' });
  });

  it.each([
    ['invalid_target', 400, 403],
    ['invalid_request', 400, 403],
    ['server_error', 500, 503],
    ['invalid_client', 401, 503],
  ])('an exchange refused with %s ends the call', async (error, status, answered) => {
    gateway.issuer.refuseExchanges({ status, error });
    const response = await fetch(url, modernRequest('tools/call', call, { token }));
    expect([response.status, response.headers.has('retry-after')]).toEqual([answered, answered === 503]);
    expect(upstream.seen).toEqual([]);
  });

  it.each([
    [401, 502],
    [403, 403],
    [302, 502],
    [500, 502],
    [429, 503],
  ])('an upstream that answers %i is not passed off as us', async (status, answered) => {
    reply = (_seen, response) => {
      const headers = { 'www-authenticate': 'Bearer realm="upstream"', location: 'https://evil.example' };
      respond(response, {}, headers, status);
    };
    const response = await fetch(url, {
      ...modernRequest('tools/call', call, { token }),
      redirect: 'manual',
    });
    expect([
      response.status,
      response.headers.get('www-authenticate'),
      response.headers.get('location'),
    ]).toEqual([answered, null, null]);
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', id: 1, error: expect.anything() });
  });

  it('a refusal of the protocol comes through as it is', async () => {
    reply = ({ message }, response) => {
      const error = { code: -32021, message: 'capability', data: { requiredCapabilities: { sampling: {} } } };
      respond(response, { jsonrpc: '2.0', id: message['id'], error }, {}, 400);
    };
    const response = await fetch(url, modernRequest('tools/call', call, { token }));
    expect([response.status, await response.json()]).toMatchObject([400, { id: 1, error: { code: -32021 } }]);
  });

  it('what was decided for one person is not left to caches of all', async () => {
    reply = ({ message }, response) => {
      const result = { contents: [], resultType: 'complete', ttlMs: 60_000, cacheScope: 'public' };
      respond(response, { jsonrpc: '2.0', id: message['id'], result });
    };
    const response = await fetch(url, modernRequest('resources/read', { uri: 'x://y' }, { token }));
    expect(await response.json()).toMatchObject({ result: { cacheScope: 'private', ttlMs: 60_000 } });
  });

  it('an answer that is not JSON is a fault of the server', async () => {
    reply = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"a secret of the server');
    };
    const response = await fetch(url, modernRequest('prompts/list', {}, { token }));
    expect(response.status).toBe(502);
  });

  it('headers that only route in the modern era do not go on with a message of another', async () => {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call };
    await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        'mcp-name': 'forbidden-tool',
        'mcp-method': 'tools/call',
      },
      body: JSON.stringify(body),
    });
    const [seen] = upstream.seen.filter(({ message }) => message['method'] === 'tools/call');
    expect(seen?.headers).not.toHaveProperty('mcp-name');
    expect(seen?.headers).not.toHaveProperty('mcp-method');
  });

  describe('lists', () => {
    const namesIn = (text: string) => [...text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name);
    const list = {
      jsonrpc: '2.0',
      id: 1,
      result: { tools: [{ name: 'allowed' }, { name: 'forbidden-tool' }, { noName: true }] },
    };

    it('hold what policy permits, and are private', async () => {
      const response = await fetch(url, modernRequest('tools/list', {}, { token }));
      const { result } = (await response.json()) as { result: Record<string, unknown> };
      expect(result).toMatchObject({
        tools: [{ name: 'allowed' }],
        cacheScope: 'private',
        resultType: 'complete',
      });
      expect(response.headers.get('cache-control')).toBe('no-store');
    });

    it('are filtered in event streams too, whatever was asked', async () => {
      reply = (_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(': hello\r\n\r\nid: 7\r\nda');
        response.end(`ta: ${JSON.stringify(list)}\r\n\r\n`);
      };
      for (const method of ['tools/list', 'resources/templates/list', 'tools/call']) {
        const response = await fetch(
          url,
          modernRequest(method, method === 'tools/call' ? call : {}, { token }),
        );
        expect(response.headers.get('x-accel-buffering')).toBe('no');
        const text = await response.text();
        expect(text).toContain(': hello');
        expect(namesIn(text)).toEqual(['allowed']);
      }
    });

    it('are filtered when their keys are spelt with escapes', async () => {
      reply = (_seen, response) => {
        const escaped = JSON.stringify(list).replace('tools', String.raw`too\u006cs`);
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${escaped.replace('result', String.raw`res\u0075lt`)}\n\n`);
      };
      const response = await fetch(url, modernRequest('tools/call', call, { token }));
      expect(namesIn(await response.text())).toEqual(['allowed']);
    });

    it('are filtered on streams that a client comes back for', async () => {
      reply = (_seen, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${JSON.stringify(list)}\n\n`);
      };
      const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
      expect(namesIn(await (await fetch(url, { headers })).text())).toEqual(['allowed']);
    });

    it.each([
      [200, 'text/json'],
      [200, ''],
      [201, 'application/json'],
    ])('are not shown because the answer calls itself %i %s', async (status, type) => {
      reply = (_seen, response) => {
        response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(JSON.stringify(list));
      };
      const response = await fetch(url, modernRequest('tools/list', {}, { token }));
      expect(await response.text()).not.toContain('forbidden-tool');
    });

    it('are not shown when the policy cannot be asked', async () => {
      reply = (seen, response) => {
        void gateway.policy.down().then(() => answerEverything(seen, response));
      };
      try {
        const response = await fetch(url, modernRequest('tools/list', {}, { token }));
        expect([response.status, await response.json()]).toMatchObject([503, { error: { code: -32603 } }]);
      } finally {
        await gateway.policy.up();
      }
    });
  });

  it('a client that goes away ends the call upstream', async () => {
    reply = () => {};
    const received = upstream.next();
    const leaving = new AbortController();
    const asking = fetch(url, { ...modernRequest('tools/call', call, { token }), signal: leaving.signal });
    const seen = await received;
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await seen.aborted;
  });

  it('a client that goes away ends a stream upstream', async () => {
    reply = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n');
    };
    const received = upstream.next();
    const leaving = new AbortController();
    const init = { ...modernRequest('tools/call', call, { token }), signal: leaving.signal };
    const reader = (await fetch(url, init)).body!.getReader();
    expect((await reader.read()).done).toBe(false);
    leaving.abort();
    await (
      await received
    ).aborted;
  });

  it('an upstream that falls silent ends the call with 504', async () => {
    const quick = await startTestGateway({
      replicas: 1,
      issuer: gateway.issuer,
      upstreams: { tools: { transport: 'http', url: upstream.url, token: { kind: 'none' }, timeoutMs: 50 } },
    });
    reply = (seen, response) => {
      if (seen.message['method'] === 'server/discover') answerEverything(seen, response);
    };
    const response = await fetch(`${quick.url}/mcp/tools`, modernRequest('tools/call', call, { token }));
    expect([response.status, await response.json()]).toMatchObject([504, { id: 1, error: { code: -32603 } }]);
    expect(upstream.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    await quick.close();
  });

  it('an upstream that is not there ends the call with 503', async () => {
    const lost = await startTestGateway({
      replicas: 1,
      issuer: gateway.issuer,
      upstreams: { tools: { transport: 'http', url: 'http://127.0.0.1:1/mcp', token: { kind: 'none' } } },
    });
    const response = await fetch(`${lost.url}/mcp/tools`, modernRequest('tools/call', call, { token }));
    expect([response.status, response.headers.has('retry-after')]).toEqual([503, true]);
    await lost.close();
  });

  it('more than may be in flight is told to come back', async () => {
    const small = await startTestGateway({
      replicas: 1,
      issuer: gateway.issuer,
      gateway: { limits: { maxInFlight: 1 } },
      upstreams: { tools: { transport: 'http', url: upstream.url, token: { kind: 'none' } } },
    });
    const smallUrl = `${small.url}/mcp/tools`;
    let finish = (): void => {};
    reply = (seen, response) => {
      if (seen.message['method'] === 'server/discover') answerEverything(seen, response);
      else finish = () => answerEverything(seen, response);
    };
    const busy = upstream
      .next()
      .then((first) => (first.message['method'] === 'tools/call' ? first : upstream.next()));
    const first = fetch(smallUrl, modernRequest('tools/call', call, { token }));
    await busy;
    const second = await fetch(smallUrl, modernRequest('tools/call', call, { token }));
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1']);
    finish();
    expect((await first).status).toBe(200);
    await small.close();
  });

  describe('sessions of the legacy era', () => {
    const legacy = (body: unknown, bearer: string, headers: Record<string, string> = {}): RequestInit => ({
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${bearer}`,
        ...headers,
      },
      body: JSON.stringify(body),
    });
    const initialize = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25' },
    };
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };

    beforeEach(() => {
      reply = (seen, response) => {
        if (seen.message['method'] !== 'initialize') return answerEverything(seen, response);
        const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: {} };
        respond(response, { jsonrpc: '2.0', id: 1, result }, { 'mcp-session-id': 'upstream-session' });
      };
    });

    it('belong to the person and client they were begun by', async () => {
      const begun = await fetch(url, legacy(initialize, token));
      const session = begun.headers.get('mcp-session-id') ?? '';
      expect(session).toMatch(/^upstream-session\../);

      const mine = await fetch(url, legacy(list, token, { 'mcp-session-id': session }));
      expect(mine.status).toBe(200);
      expect(upstream.seen.at(-1)?.headers['mcp-session-id']).toBe('upstream-session');

      upstream.seen.length = 0;
      for (const claims of [{ sub: 'bob' }, { client_id: 'other' }]) {
        const theirs = await gateway.tokenFor('tools', claims);
        const response = await fetch(url, legacy(list, theirs, { 'mcp-session-id': session }));
        expect([response.status, await response.json()]).toMatchObject([404, { error: { code: -32001 } }]);
      }
      for (const forged of ['upstream-session', `${session}x`, '.', ''].filter(Boolean)) {
        const response = await fetch(url, legacy(list, token, { 'mcp-session-id': forged }));
        expect(response.status).toBe(404);
      }
      expect(upstream.seen).toEqual([]);
    });

    it('do not exist in the modern era', async () => {
      const headers = { 'mcp-session-id': 'anything', 'last-event-id': 'anything' };
      const response = await fetch(url, modernRequest('tools/list', {}, { token, headers }));
      expect(response.status).toBe(200);
      const seen = upstream.seen.at(-1)?.headers;
      expect([seen?.['mcp-session-id'], seen?.['last-event-id']]).toEqual([undefined, undefined]);
    });
  });
});
