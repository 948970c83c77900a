import { type TestGateway, publicUrl, startTestGateway } from '../apps/gateway/test/gateway-fixture.js';
import { startEverything } from './everything/start-everything.js';
import { runSuite } from './run-suite.js';
import { startTokenShim } from './token-shim.js';

/** suite -> token shim -> gateway -> a server with everything the suite asks for. */
describe('MCP server conformance through the gateway', () => {
  let everything: Awaited<ReturnType<typeof startEverything>>;
  let gateway: TestGateway;
  let shim: Awaited<ReturnType<typeof startTokenShim>>;

  beforeAll(async () => {
    everything = await startEverything();
    gateway = await startTestGateway({
      upstreams: { everything: { transport: 'http', url: everything.url, token: { kind: 'none' } } },
      decide: () => ({ decision: true }),
    });
    shim = await startTokenShim(gateway.url, await gateway.tokenFor('everything', { exp: inAnHour() }));
  });
  afterAll(async () => {
    shim.close();
    await gateway.close();
    await everything.close();
  });

  it.each(['2026-07-28', '2025-11-25'])('%s: every required scenario passes', async (requirements) => {
    const url = `${shim.url}${new URL(publicUrl).pathname.replace(/\/$/, '')}/mcp/everything`;
    const expected = 'conformance/expected-failures.yml';
    const { code, output } = await runSuite([
      'server',
      `--url=${url}`,
      `--requirements=${requirements}`,
      `--expected-failures=${expected}`,
      ...(process.env['CONFORMANCE_OUTPUT'] ? ['-o', process.env['CONFORMANCE_OUTPUT']] : []),
    ]);
    // The suite's own report is what a reader wants to see, pass or fail.
    process.stdout.write(`${summaryOf(output)}\n`);
    expect(code === 0 ? '' : output).toBe('');
  });
});

const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;

function summaryOf(output: string): string {
  return output.slice(Math.max(0, output.lastIndexOf('=== SUMMARY'))).trim();
}
