import { modernRequest } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';

const fake = {
  transport: 'stdio',
  command: process.execPath,
  args: ['apps/gateway/test/stdio-server.mjs'],
  env: { CONFIGURED: '1' },
};

describe('an upstream over standard streams', () => {
  let gateway: TestGateway;
  let url: string;
  let token: string;

  beforeAll(async () => {
    process.env['SECRET_OF_THE_GATEWAY'] = 'x';
    gateway = await startTestGateway({
      replicas: 1,
      upstreams: { fake, missing: { ...fake, command: '/nonexistent/program' } },
    });
    url = `${gateway.url}/mcp/fake`;
    token = await gateway.tokenFor('fake');
  });
  afterAll(async () => {
    delete process.env['SECRET_OF_THE_GATEWAY'];
    await gateway.close();
  });

  const call = (name: string, args: object = {}, meta: object = {}, init: RequestInit = {}) =>
    fetch(url, {
      ...modernRequest('tools/call', { name, arguments: args, _meta: meta }, { token }),
      ...init,
    });
  const textOf = async (response: Response): Promise<unknown> => {
    const { result } = (await response.json()) as { result: { content: [{ text: string }] } };
    return JSON.parse(result.content[0].text);
  };
  const legacy = (body: object, headers: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
      ...init,
    });

  it('gets nothing of our environment but PATH, HOME and what is configured', async () => {
    const names = (await textOf(await call('environment'))) as string[];
    expect(names.filter((name) => !name.startsWith('__CF'))).toEqual(['CONFIGURED', 'HOME', 'PATH']);
  });

  it('is discovered by what it said of itself, without what needs a session', async () => {
    const response = await fetch(url, modernRequest('server/discover', {}, { token }));
    expect(await response.json()).toMatchObject({
      result: {
        resultType: 'complete',
        supportedVersions: ['2026-07-28'],
        capabilities: { tools: {} },
        cacheScope: 'private',
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'fake' } },
      },
    });
  });

  it.each([
    ['2025-11-25', '2025-11-25'],
    ['2025-06-18', '2025-06-18'],
    ['2025-03-26', '2025-03-26'],
    ['2024-11-05', '2024-11-05'],
    ['2024-10-07', '2025-11-25'],
  ])('answers a handshake for %s with %s and no session', async (asked, answered) => {
    const response = await legacy({ id: 1, method: 'initialize', params: { protocolVersion: asked } });
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.json()).toMatchObject({
      result: { protocolVersion: answered, capabilities: { tools: {} }, serverInfo: { name: 'fake' } },
    });
  });

  it('has no streams and no sessions to end', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(url, { method, headers: { authorization: `Bearer ${token}` } });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
    }
    expect((await legacy({ method: 'notifications/initialized' })).status).toBe(202);
    expect(await (await legacy({ id: 1, method: 'ping' })).json()).toMatchObject({ result: {} });
    expect(await (await legacy({ id: 1, method: 'logging/setLevel' })).json()).toMatchObject({
      error: { code: -32601 },
    });
  });

  it('does not see the envelope of the modern era', async () => {
    const meta = (await textOf(
      await call('meta', {}, { 'example.com/own': 1, baggage: 'user=alice' }),
    )) as object;
    expect(meta).toEqual({ 'example.com/own': 1 });
  });

  it('reports progress to the request it belongs to, under its own token', async () => {
    const answers = await Promise.all(
      ['one', 'two'].map(async (say) => (await call('progress', { say }, { progressToken: 'mine' })).text()),
    );
    const progress = answers.map((text) =>
      [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!)),
    );
    expect(progress).toMatchObject(
      ['one', 'two'].map((message) => [
        { method: 'notifications/progress', params: { progressToken: 'mine', message } },
        { id: 1, result: { resultType: 'complete' } },
      ]),
    );
  });

  it('is told that its client has nothing to offer', async () => {
    expect(await textOf(await call('ask'))).toMatchObject({ code: -32601 });
  });

  it('errors of its era become those of the modern one', async () => {
    const read = await fetch(url, modernRequest('resources/read', { uri: 'x://y' }, { token }));
    expect(await read.json()).toMatchObject({ id: 1, error: { code: -32602 } });
    expect(
      await (await legacy({ id: 2, method: 'resources/read', params: { uri: 'x://y' } })).json(),
    ).toMatchObject({
      error: { code: -32002 },
    });
  });

  it('learns when a client has gone', async () => {
    const before = (await textOf(await call('cancelled'))) as unknown[];
    const leaving = new AbortController();
    const hanging = call('hang', {}, {}, { signal: leaving.signal }).catch(() => {});
    // Calls are written in order, so once this one is answered the other has arrived.
    await call('cancelled');
    leaving.abort();
    await hanging;
    await eventually(async () => {
      expect(await textOf(await call('cancelled'))).toHaveLength(before.length + 1);
    });
  });

  it('learns when a client of the legacy era cancels, and only then', async () => {
    const before = (await textOf(await call('cancelled'))) as unknown[];
    const leaving = new AbortController();
    const hanging = legacy(
      { id: 'h', method: 'tools/call', params: { name: 'hang' } },
      {},
      { signal: leaving.signal },
    ).catch(() => {});
    await call('cancelled');
    const cancel = (as: string) =>
      legacy(
        { method: 'notifications/cancelled', params: { requestId: 'h' } },
        { authorization: `Bearer ${as}` },
      );
    await cancel(await gateway.tokenFor('fake', { sub: 'bob' }));
    expect(await textOf(await call('cancelled'))).toHaveLength(before.length);
    await cancel(token);
    expect(await textOf(await call('cancelled'))).toHaveLength(before.length + 1);
    leaving.abort();
    await hanging;
  });

  it('holds a subscription open until its client leaves', async () => {
    const leaving = new AbortController();
    const listen = modernRequest(
      'subscriptions/listen',
      { notifications: { toolsListChanged: true } },
      { token },
    );
    const response = await fetch(url, { ...listen, signal: leaving.signal });
    const { value } = await response.body!.getReader().read();
    expect(Buffer.from(value!).toString()).toContain('notifications/subscriptions/acknowledged');
    leaving.abort();
  });

  it.each(['crash', 'flood'])(
    'fails what is pending when it ends (%s), and is started again',
    async (how) => {
      const instructions = async (): Promise<string> => {
        const response = await fetch(url, modernRequest('server/discover', {}, { token }));
        return ((await response.json()) as { result: { instructions: string } }).result.instructions;
      };
      const first = await instructions();
      const hanging = call('hang');
      const response = await call(how);
      for (const ended of [response, await hanging]) {
        expect([ended.status, ended.headers.has('retry-after')]).toEqual([503, true]);
        expect(await ended.json()).toMatchObject({ id: 1, error: { code: -32603 } });
      }
      expect(await instructions()).not.toBe(first);
    },
  );

  it('that cannot be started does not keep the gateway from being ready', async () => {
    await eventually(async () => {
      expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    });
  });
});

/** Tries until it holds; the test's own deadline is the limit. */
async function eventually(check: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await check();
    } catch {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
