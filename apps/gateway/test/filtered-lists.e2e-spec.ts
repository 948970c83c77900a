import { modernRequest } from './clients.js';
import { call, useRecordedGateway } from './recorded-gateway.fixture.js';
import { answerEverything } from './recording-upstream.js';

describe('lists', () => {
  const on = useRecordedGateway();

  const namesIn = (text: string) => [...text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name);
  const list = {
    jsonrpc: '2.0',
    id: 1,
    result: { tools: [{ name: 'allowed' }, { name: 'forbidden-tool' }, { noName: true }] },
  };

  it('hold what policy permits, and are private', async () => {
    const response = await fetch(on.url, modernRequest('tools/list', {}, { token: on.token }));
    const { result } = (await response.json()) as { result: Record<string, unknown> };
    expect(result).toMatchObject({
      tools: [{ name: 'allowed' }],
      cacheScope: 'private',
      resultType: 'complete',
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('are filtered in event streams too, whatever was asked', async () => {
    on.reply = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\r\n\r\nid: 7\r\nda');
      response.end(`ta: ${JSON.stringify(list)}\r\n\r\n`);
    };
    for (const method of ['tools/list', 'resources/templates/list', 'tools/call']) {
      const response = await fetch(
        on.url,
        modernRequest(method, method === 'tools/call' ? call : {}, { token: on.token }),
      );
      expect(response.headers.get('x-accel-buffering')).toBe('no');
      const text = await response.text();
      expect(text).toContain(': hello');
      expect(namesIn(text)).toEqual(['allowed']);
    }
  });

  it('are filtered when their keys are spelt with escapes', async () => {
    on.reply = (_seen, response) => {
      const escaped = JSON.stringify(list).replace('tools', String.raw`too\u006cs`);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${escaped.replace('result', String.raw`res\u0075lt`)}\n\n`);
    };
    const response = await fetch(on.url, modernRequest('tools/call', call, { token: on.token }));
    expect(namesIn(await response.text())).toEqual(['allowed']);
  });

  it('are filtered on streams that a client comes back for', async () => {
    on.reply = (_seen, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: ${JSON.stringify(list)}\n\n`);
    };
    const headers = { authorization: `Bearer ${on.token}`, accept: 'text/event-stream' };
    expect(namesIn(await (await fetch(on.url, { headers })).text())).toEqual(['allowed']);
  });

  it.each([
    [200, 'text/json'],
    [200, ''],
    [201, 'application/json'],
  ])('are not shown because the answer calls itself %i %s', async (status, type) => {
    on.reply = (_seen, response) => {
      response.writeHead(status, type === '' ? {} : { 'content-type': type }).end(JSON.stringify(list));
    };
    const response = await fetch(on.url, modernRequest('tools/list', {}, { token: on.token }));
    expect(await response.text()).not.toContain('forbidden-tool');
  });

  it('are not shown when the policy cannot be asked', async () => {
    on.reply = (seen, response) => {
      void on.gateway.policy.down().then(() => answerEverything(seen, response));
    };
    try {
      const response = await fetch(on.url, modernRequest('tools/list', {}, { token: on.token }));
      expect([response.status, await response.json()]).toMatchObject([503, { error: { code: -32603 } }]);
    } finally {
      await on.gateway.policy.up();
    }
  });
});
