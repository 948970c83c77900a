import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { LocalServer } from '@behalf/local-servers';
import type { Fleet } from '../../../deploy/fleet/start-fleet.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { type McpAnswer, callTool } from './mcp-request.fixture.js';
import { formOf, metadataClientId, signIn } from './oauth-client.fixture.js';

/** Whatever is broken, a caller has an answer in this time, and the system is whole again in the other. */
const answerWithinMs = 20_000;
const recoverWithinMs = 60_000;
const revokedWithinMs = 20_000;

let system: DemoSystem;
let fleet: Fleet;
let alice: string;
let bob: string;
beforeAll(async () => {
  system = await startDemoSystem();
  if (!system.fleet) throw new Error('this suite is for the fleet: npm run test:fleet');
  ({ fleet } = system);
  alice = await tokenOf('alice');
  bob = (
    await signIn(system, {
      username: 'bob',
      resource: system.mcpUrl('files'),
      scope: 'mcp:tools files:write',
    })
  ).access_token;
}, startTimeoutMs);
afterAll(() => system?.close());

async function tokenOf(username: string): Promise<string> {
  return (await signIn(system, { username, resource: system.mcpUrl('whoami') })).access_token;
}

const forbidden = (): string => join(system.config.dataFolder, 'files', 'forbidden.txt');

/** What alice may do. A connection that breaks counts as no answer that says yes. */
function permitted(token = alice): Promise<number> {
  return statusOf(callTool(system.mcpUrl('whoami'), 'whoami', {}, { token }));
}

/** What bob may not do, whatever happens. */
function denied(): Promise<number> {
  const file = { path: 'forbidden.txt', content: 'written' };
  return statusOf(callTool(system.mcpUrl('files'), 'write_file', file, { token: bob }));
}

async function statusOf(call: Promise<McpAnswer>): Promise<number> {
  const late = new AbortController();
  const hang = setTimeout(answerWithinMs, 'hang', { signal: late.signal });
  hang.catch(() => {});
  const answered = await Promise.race([call.then(({ status }) => status).catch(() => 0), hang]);
  late.abort();
  if (answered === 'hang') throw new Error('a caller waits past the deadline');
  return answered as number;
}

/** Several callers at once, of both replicas. */
async function underLoad(): Promise<number[]> {
  const calls = Array.from({ length: 6 }, () => [permitted(), denied()]).flat();
  return Promise.all(calls);
}

async function recovered(): Promise<void> {
  const until = performance.now() + recoverWithinMs;
  while ((await permitted()) !== 200) {
    if (performance.now() > until) throw new Error('the system does not recover');
    await setTimeout(200);
  }
}

const revoke = (token: string): Promise<Response> =>
  fetch(`${system.issuer}${system.config.authorizationServer.paths.revocation}`, {
    method: 'POST',
    body: formOf({ token, client_id: metadataClientId }),
  });

/** Every replica refuses it, within the time that a gateway goes on without being told that it missed nothing. */
async function isRevokedEverywhere(token: string): Promise<void> {
  const until = performance.now() + revokedWithinMs;
  for (;;) {
    const statuses = await Promise.all(Array.from({ length: 6 }, () => permitted(token)));
    if (statuses.every((status) => status === 401)) return;
    if (performance.now() > until) throw new Error(`the revocation is lost: ${statuses.join()}`);
    await setTimeout(200);
  }
}

const serverOf = (name: 'nats' | 'redis' | 'postgres'): LocalServer => {
  const server = fleet.servers[name];
  if (!server) throw new Error(`${name} was not started here`);
  return server;
};

afterEach(() => {
  expect(existsSync(forbidden())).toBe(false);
});

describe.each(['nats', 'redis', 'postgres'] as const)('%s', (name) => {
  it('killed: nobody is allowed what they may not do, nobody waits for ever, and it goes on', async () => {
    await recovered();
    await serverOf(name).process.kill();
    await underLoad();
    await serverOf(name).process.start();
    await recovered();
    expect(await denied()).not.toBe(0);
  }, 150_000);

  it('suspended: the same', async () => {
    await recovered();
    serverOf(name).process.suspend();
    await underLoad();
    serverOf(name).process.resume();
    await recovered();
  }, 150_000);
});

describe.each(['nats', 'redis'] as const)('%s restarted empty', (name) => {
  it('goes on, and knows what was revoked before', async () => {
    await recovered();
    const token = await tokenOf('alice');
    expect((await revoke(token)).status).toBe(200);
    await isRevokedEverywhere(token);
    await serverOf(name).restartEmpty();
    await underLoad();
    await recovered();
    await isRevokedEverywhere(token);
    const another = await tokenOf('alice');
    expect(await permitted(another)).toBe(200);
    expect((await revoke(another)).status).toBe(200);
    await isRevokedEverywhere(another);
  }, 150_000);
});

it('a revocation that was answered survives the database being killed', async () => {
  await recovered();
  const token = await tokenOf('alice');
  expect((await revoke(token)).status).toBe(200);
  await serverOf('postgres').process.kill();
  await serverOf('postgres').process.start();
  await recovered();
  await isRevokedEverywhere(token);
}, 150_000);

it('a revocation made while NATS is away reaches every gateway when it is back', async () => {
  await recovered();
  const token = await tokenOf('alice');
  expect(await permitted(token)).toBe(200);
  await serverOf('nats').process.kill();
  expect((await revoke(token)).status).toBe(200);
  await serverOf('nats').process.start();
  await recovered();
  await isRevokedEverywhere(token);
}, 150_000);

it('one policy replica killed: the other decides', async () => {
  await recovered();
  const [first] = fleet.services.policy;
  await first?.kill();
  await underLoad();
  await recovered();
  await first?.start();
}, 150_000);

it('one policy replica suspended: the other decides in time, what has to be spent aside', async () => {
  await recovered();
  const [first] = fleet.services.policy;
  first?.suspend();
  expect(await Promise.all(Array.from({ length: 6 }, () => permitted()))).toEqual(Array(6).fill(200));
  first?.resume();
  await recovered();
}, 150_000);

it('every policy replica suspended: nothing is allowed, and nobody waits for ever', async () => {
  await recovered();
  for (const replica of fleet.services.policy) replica.suspend();
  expect((await underLoad()).filter((status) => status === 200)).toEqual([]);
  for (const replica of fleet.services.policy) replica.resume();
  await recovered();
}, 150_000);

describe.each(['killed', 'suspended'] as const)('every elicitation replica %s', (how) => {
  it('calls that need no third party go on', async () => {
    await recovered();
    for (const replica of fleet.services.elicitation)
      await (how === 'killed' ? replica.kill() : replica.suspend());
    expect(await permitted()).toBe(200);
    for (const replica of fleet.services.elicitation)
      await (how === 'killed' ? replica.start() : replica.resume());
  }, 150_000);
});

describe.each(['policy', 'gateway', 'authorization-server'] as const)('the clock of one %s', (name) => {
  it.each([5, -5])(
    'off by %s minutes: nothing is allowed that may not be, and revocations arrive',
    async (minutes) => {
      await recovered();
      const token = await tokenOf('alice');
      system.clocks?.put(minutes * 60, `${name}-1`);
      await underLoad();
      expect((await revoke(token)).status).toBe(200);
      await isRevokedEverywhere(token);
      system.clocks?.put(0);
      await recovered();
      await isRevokedEverywhere(token);
    },
    150_000,
  );
});

it('cut off, every gateway refuses what it cannot know and says so, and catches up when it is back', async () => {
  await recovered();
  const token = await tokenOf('alice');
  const waitingFor = async (): Promise<string[]> => {
    const ready = await fetch(`${system.gateway}${system.config.health.ready}`);
    return ((await ready.json()) as { waiting_for?: string[] }).waiting_for ?? [];
  };
  await serverOf('nats').process.kill();
  expect((await revoke(token)).status).toBe(200);
  const until = performance.now() + revokedWithinMs;
  while (!(await waitingFor()).includes('revocations')) {
    if (performance.now() > until) throw new Error('a gateway that knows nothing does not say so');
    await setTimeout(200);
  }
  expect([await permitted(), await permitted(token)]).toEqual([503, 503]);
  await serverOf('nats').process.start();
  await recovered();
  await isRevokedEverywhere(token);
  expect(await waitingFor()).toEqual([]);
}, 150_000);
