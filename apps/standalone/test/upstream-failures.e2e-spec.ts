import { type Fault, FaultyProxy, faults } from '@behalf/local-servers';
import { freePort } from '@behalf/testing';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { type McpAnswer, callTool } from './mcp-request.fixture.js';
import { signIn } from './oauth-client.fixture.js';

/** Shorter than that of a deployment, so that a row of this takes no minute. */
const upstreamTimeoutMs = 2_000;
const rowTimeoutMs = 60_000;

let system: DemoSystem;
let alice: string;
let way: FaultyProxy;
beforeAll(async () => {
  system = await startDemoSystem({
    adjust: (file) => {
      file['gateway'].upstreams.whoami.timeoutMs = upstreamTimeoutMs;
    },
    portOfWhoami: async (foundAt) => {
      const port = await freePort();
      way = await FaultyProxy.open(port, foundAt);
      return port;
    },
  });
  alice = (await signIn(system, { username: 'alice', resource: system.mcpUrl('whoami') })).access_token;
}, startTimeoutMs);
afterAll(async () => {
  await system.close();
  await way.close();
});

/** The ways in which one is broken, and the one in which there is nobody. */
const outsideFaults = [...faults, 'gone'] as const;

function breakWay(fault: Fault | 'gone'): void {
  if (fault !== 'gone') return way.break(fault);
  way.refuses = true;
  way.reset();
}

describe('an upstream', () => {
  const call = (): Promise<McpAnswer> => callTool(system.mcpUrl('whoami'), 'whoami', {}, { token: alice });
  it.each(outsideFaults)(
    '%s: callers are told in time, and served when it is whole again',
    async (fault) => {
      expect((await call()).status).toBe(200);
      breakWay(fault);
      const answers = await Promise.all(Array.from({ length: 4 }, call)).finally(() => way.mend());
      const seen = answers.map(
        ({ status, headers }) => `${status}${headers.has('retry-after') ? ' later' : ''}`,
      );
      // A short answer may get through before the connection is cut.
      const expected = { slow: ['200'], silent: ['504'], resetting: ['200', '503 later'] }[
        fault as string
      ] ?? ['503 later'];
      for (const one of seen) expect(expected).toContain(one);
      expect((await call()).status).toBe(200);
    },
    rowTimeoutMs,
  );
});
