import { freePort } from '@behalf/testing';
import { startWhoami } from '../../../deploy/demo/whoami/start-whoami.js';
import { connectLegacy, connectModern } from './clients.js';
import { type FakeIssuer, startFakeIssuer } from './fake-issuer.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';

const everything = {
  transport: 'stdio',
  command: process.execPath,
  args: ['node_modules/@modelcontextprotocol/server-everything/dist/index.js', 'stdio'],
};

describe('clients of both eras', () => {
  let issuer: FakeIssuer;
  let gateway: TestGateway;
  let whoami: Awaited<ReturnType<typeof startWhoami>>;
  let whoamiUrl: string;

  beforeAll(async () => {
    issuer = await startFakeIssuer();
    const port = await freePort();
    whoamiUrl = `http://127.0.0.1:${port}/mcp`;
    whoami = await startWhoami({ port, issuer: issuer.url, jwksUri: issuer.jwksUri, resource: whoamiUrl });
    gateway = await startTestGateway({
      issuer,
      upstreams: { everything, whoami: { transport: 'http', url: whoamiUrl } },
    });
  });
  afterAll(async () => {
    await gateway.close();
    await whoami.close();
    issuer.close();
  });

  const modern = (upstream: string, mode: 'auto' | { pin: '2026-07-28' }) => async () =>
    connectModern(`${gateway.url}/mcp/${upstream}`, await gateway.tokenFor(upstream), mode);
  const legacy = (upstream: string) => async () =>
    connectLegacy(`${gateway.url}/mcp/${upstream}`, await gateway.tokenFor(upstream));

  it.each([
    ['v2 auto', modern('everything', 'auto')],
    ['v2 pinned', modern('everything', { pin: '2026-07-28' })],
    ['v1', legacy('everything')],
  ])('%s calls a tool of a stdio server', async (_name, connect) => {
    const client = await connect();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('echo');
    const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(result.content).toEqual([{ type: 'text', text: 'Echo: hello' }]);
    await client.close();
  });

  it.each([
    ['v2 auto', modern('whoami', 'auto')],
    ['v2 pinned', modern('whoami', { pin: '2026-07-28' })],
    ['v1', legacy('whoami')],
  ])('%s calls a tool over http with an exchanged token', async (_name, connect) => {
    const client = await connect();
    const result = await client.callTool({ name: 'whoami', arguments: {} });
    expect(result.structuredContent).toMatchObject({
      sub: 'alice',
      act: { sub: 'demo-gateway' },
      aud: whoamiUrl,
      client_id: 'demo-gateway',
    });
    await client.close();
  });
});
