import { modernRequest } from './clients.js';
import { startTestGateway } from './gateway-fixture.js';
import { call, useRecordedGateway } from './recorded-gateway.fixture.js';
import { answerEverything } from './recording-upstream.js';

describe('a call that is not answered', () => {
  const on = useRecordedGateway();

  it('a client that goes away ends the call upstream', async () => {
    on.reply = () => {};
    const received = on.upstream.next();
    const leaving = new AbortController();
    const asking = fetch(on.url, {
      ...modernRequest('tools/call', call, { token: on.token }),
      signal: leaving.signal,
    });
    const seen = await received;
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await seen.aborted;
  });

  it('a client that goes away ends a stream upstream', async () => {
    on.reply = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n');
    };
    const received = on.upstream.next();
    const leaving = new AbortController();
    const init = { ...modernRequest('tools/call', call, { token: on.token }), signal: leaving.signal };
    const reader = (await fetch(on.url, init)).body!.getReader();
    expect((await reader.read()).done).toBe(false);
    leaving.abort();
    await (
      await received
    ).aborted;
  });

  it('an upstream that falls silent ends the call with 504', async () => {
    const quick = await startTestGateway({
      replicas: 1,
      issuer: on.gateway.issuer,
      upstreams: {
        tools: { transport: 'http', url: on.upstream.url, token: { kind: 'none' }, timeoutMs: 50 },
      },
    });
    on.reply = (seen, response) => {
      if (seen.message['method'] === 'server/discover') answerEverything(seen, response);
    };
    const response = await fetch(
      `${quick.url}/mcp/tools`,
      modernRequest('tools/call', call, { token: on.token }),
    );
    expect([response.status, await response.json()]).toMatchObject([504, { id: 1, error: { code: -32603 } }]);
    expect(on.upstream.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
    await quick.close();
  });

  it('an upstream that is not there ends the call with 503', async () => {
    const lost = await startTestGateway({
      replicas: 1,
      issuer: on.gateway.issuer,
      upstreams: { tools: { transport: 'http', url: 'http://127.0.0.1:1/mcp', token: { kind: 'none' } } },
    });
    const response = await fetch(
      `${lost.url}/mcp/tools`,
      modernRequest('tools/call', call, { token: on.token }),
    );
    expect([response.status, response.headers.has('retry-after')]).toEqual([503, true]);
    await lost.close();
  });

  it('more than may be in flight is told to come back', async () => {
    const small = await startTestGateway({
      replicas: 1,
      issuer: on.gateway.issuer,
      gateway: { limits: { maxInFlight: 1 } },
      upstreams: { tools: { transport: 'http', url: on.upstream.url, token: { kind: 'none' } } },
    });
    const smallUrl = `${small.url}/mcp/tools`;
    let finish = (): void => {};
    on.reply = (seen, response) => {
      if (seen.message['method'] === 'server/discover') answerEverything(seen, response);
      else finish = () => answerEverything(seen, response);
    };
    const busy = on.upstream
      .next()
      .then((first) => (first.message['method'] === 'tools/call' ? first : on.upstream.next()));
    const first = fetch(smallUrl, modernRequest('tools/call', call, { token: on.token }));
    await busy;
    const second = await fetch(smallUrl, modernRequest('tools/call', call, { token: on.token }));
    expect([second.status, second.headers.get('retry-after')]).toEqual([503, '1']);
    finish();
    expect((await first).status).toBe(200);
    await small.close();
  });
});
