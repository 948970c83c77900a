import { freePort } from '@behalf/testing';
import { connectLegacy, connectModern } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';

describe('an http upstream of the legacy era, started by the gateway', () => {
  let gateway: TestGateway;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    gateway = await startTestGateway({
      upstreams: {
        everything: {
          transport: 'http',
          url: `http://localhost:${port}/mcp`,
          token: { kind: 'none' },
          process: {
            command: process.execPath,
            args: ['node_modules/@modelcontextprotocol/server-everything/dist/index.js', 'streamableHttp'],
            env: { PORT: String(port) },
          },
        },
      },
    });
    url = `${gateway.url}/mcp/everything`;
    while ((await fetch(`${gateway.url}/readyz`)).status !== 200)
      await new Promise((done) => setImmediate(done));
  });
  afterAll(() => gateway.close());

  it('serves a legacy client, session and all', async () => {
    const client = await connectLegacy(url, await gateway.tokenFor('everything'));
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(result.content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    await client.close();
  });

  it.each(['auto' as const, { pin: '2026-07-28' as const }])(
    'serves a modern client over a bridge (%p)',
    async (mode) => {
      const client = await connectModern(url, await gateway.tokenFor('everything'), mode);
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toContain('echo');
      const progress: number[] = [];
      const result = await client.callTool(
        { name: 'trigger-long-running-operation', arguments: { duration: 0.2, steps: 2 } },
        { onprogress: (step) => void progress.push(step.progress) },
      );
      expect(result.isError).toBeFalsy();
      expect(progress).toEqual([1, 2]);
      await client.close();
    },
  );

  it('keeps the concurrent calls of one person apart', async () => {
    const token = await gateway.tokenFor('everything');
    const client = await connectModern(url, token, { pin: '2026-07-28' });
    const messages = ['a', 'b', 'c', 'd'];
    const results = await Promise.all(
      messages.map((message) => client.callTool({ name: 'echo', arguments: { message } })),
    );
    expect(results.map(({ content }) => (content[0] as { text: string }).text)).toEqual(
      messages.map((message) => `Echo: ${message}`),
    );
    await client.close();
  });
});
