import { setTimeout } from 'node:timers/promises';
import { startRedis } from '@behalf/local-servers';
import { itOnSmallDisk } from '@behalf/testing';
import { Redis } from 'ioredis';
import { browse } from './browse.fixture.js';
import { startTimeoutMs } from './demo-system.fixture.js';
import { Callers, answerWithinMs, revokedWithinMs } from './failing-system-callers.fixture.js';
import { FailingSystem } from './failing-system.fixture.js';
import { rows, verySlowMs } from './fault-rows.fixture.js';
import { type FaultOutcome, printFaultTable } from './fault-table.fixture.js';
import { authorizationRequest, redeem } from './oauth-client.fixture.js';

const loadForMs = 1_500;
const rowTimeoutMs = 180_000;

let failing: FailingSystem;
let callers: Callers;
const outcomes: FaultOutcome[] = [];

beforeAll(async () => {
  failing = await FailingSystem.start();
  callers = await Callers.signIn(failing);
}, startTimeoutMs);
afterAll(async () => {
  printFaultTable(outcomes);
  await failing?.close();
});

describe.each(rows)('$part: $fault', ({ part, fault, breaks, mends, callers: seenBy, asked }) => {
  const tryIt = fault === 'disk full' ? itOnSmallDisk() : it;
  tryIt(
    'allows nothing wrong, loses nothing, lets nothing be used twice, and keeps nobody waiting',
    async () => {
      const [toRevoke, use] = [await callers.recovered(), await callers.oneCode()];
      const recordsBefore = await callers.recordCount();
      const [seen, others, uses]: [number[], number[], number[]] = [[], [], []];
      const own = { permitted: [] as number[], denied: [] as number[] };
      if (asked) await callers.servedAgain(asked);
      let revoking: number | undefined;
      await breaks(failing);
      try {
        const until = performance.now() + loadForMs;
        do {
          const round = Array.from({ length: 6 }, async () => {
            seen.push(await callers.permitted());
            others.push(await callers.denied());
            if (!asked) return;
            own.permitted.push(await callers.asking[asked].permitted());
            own.denied.push(await callers.asking[asked].denied());
          });
          uses.push(...(await Promise.all([use(), use()])));
          revoking ??= await callers.statusOf(callers.revoke(toRevoke));
          await Promise.all(round);
        } while (performance.now() < until);
      } finally {
        await mends(failing);
      }
      const mendedAt = performance.now();
      await callers.recovered();
      if (asked) await callers.servedAgain(asked);
      const recoveredInMs = performance.now() - mendedAt;
      outcomes.push({ part, fault, seen, ...(asked && { asked: own.permitted }), uses, recoveredInMs });
      uses.push(await use());
      const served = [...seen, ...own.permitted].filter((status) => status === 200).length;
      const isLost = revoking === 200 && !(await callers.isRevokedEverywhere(toRevoke));
      expect({
        'wrong allows': Number(callers.hasWritten()) + own.denied.filter((status) => status === 200).length,
        'lost revocations': Number(isLost),
        'lost records': Math.max(0, served - ((await callers.recordCount()) - recordsBefore)),
        'double uses': Math.max(0, uses.filter((status) => status === 200).length - 1),
        hangs: [...seen, ...others, ...own.permitted, ...own.denied, ...uses, revoking].filter(
          (status) => status === -1,
        ).length,
        'ended by it': Object.values(failing.fleet.services)
          .flat()
          .filter(({ pid }) => pid === undefined).length,
      }).toEqual({
        'wrong allows': 0,
        'lost revocations': 0,
        'lost records': 0,
        'double uses': 0,
        hangs: 0,
        'ended by it': 0,
      });
      if (seenBy === 'served') expect(new Set(seen)).toEqual(new Set([200]));
      if (seenBy === 'refused') expect(seen).not.toContain(200);
    },
    rowTimeoutMs,
  );
});

describe.each(['nats', 'redis'] as const)('%s restarted empty', (name) => {
  it(
    'is told what was revoked before, and what is revoked after',
    async () => {
      const token = await callers.recovered();
      expect((await callers.revoke(token)).status).toBe(200);
      expect(await callers.isRevokedEverywhere(token)).toBe(true);
      await failing.serverOf(name).restartEmpty();
      await callers.recovered();
      expect(await callers.isRevokedEverywhere(token)).toBe(true);
      const another = await callers.tokenOf('alice');
      expect(await callers.permitted(another)).toBe(200);
      expect((await callers.revoke(another)).status).toBe(200);
      expect(await callers.isRevokedEverywhere(another)).toBe(true);
    },
    rowTimeoutMs,
  );
});

it(
  'a request for a token that takes too long is refused in time, and uses its code once at most',
  async () => {
    await callers.recovered();
    const resource = failing.system.mcpUrl('whoami');
    const { url, verifier } = authorizationRequest(failing.system, { resource });
    const code = (await browse(url, 'carol')).searchParams.get('code');
    failing.wayTo('postgres').break('slow');
    failing.wayTo('postgres').delayMs = verySlowMs;
    const beganAt = performance.now();
    const late = await redeem(failing.system, { code, verifier, resource }).finally(() =>
      failing.wayTo('postgres').mend(),
    );
    expect(performance.now() - beganAt).toBeLessThan(answerWithinMs);
    expect([late.status, late.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(0);
    await callers.recovered();
    // Used up by the first try, or not: twice it is not.
    const again = [await redeem(failing.system, { code, verifier, resource })];
    again.push(await redeem(failing.system, { code, verifier, resource }));
    expect(again.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(again.at(-1)?.body.error).toBe('invalid_grant');
    await callers.tokenOf('carol');
  },
  rowTimeoutMs,
);

it(
  'a revocation that was answered survives the database being killed at once',
  async () => {
    const token = await callers.recovered();
    expect((await callers.revoke(token)).status).toBe(200);
    await failing.serverOf('postgres').process.kill();
    await failing.serverOf('postgres').process.start();
    await callers.recovered();
    expect(await callers.isRevokedEverywhere(token)).toBe(true);
  },
  rowTimeoutMs,
);

it(
  'a gateway that is cut off refuses what it cannot know, says so, and catches up when it is back',
  async () => {
    const [known, token] = [await callers.recovered(), await callers.tokenOf('alice')];
    expect(await callers.permitted(token)).toBe(200);
    const waitingFor = async (): Promise<string[]> => {
      const ready = await fetch(`${failing.system.gateway}${failing.system.config.health.ready}`);
      return ((await ready.json()) as { waiting_for?: string[] }).waiting_for ?? [];
    };
    await failing.serverOf('nats').process.kill();
    expect((await callers.revoke(token)).status).toBe(200);
    const until = performance.now() + revokedWithinMs;
    while (!(await waitingFor()).includes('revocations')) {
      if (performance.now() > until) throw new Error('a gateway that knows nothing does not say so');
      await setTimeout(200);
    }
    expect([await callers.permitted(known), await callers.permitted(token)]).toEqual([503, 503]);
    await failing.serverOf('nats').process.start();
    await callers.recovered();
    expect(await callers.isRevokedEverywhere(token)).toBe(true);
    expect(await callers.permitted(known)).toBe(200);
    expect(await waitingFor()).toEqual([]);
  },
  rowTimeoutMs,
);

// The last one: the replica stays.
it(
  'a code that was used is not used again where a replica of Redis takes over that never heard of it',
  async () => {
    await callers.recovered();
    const use = await callers.oneCode();
    const replica = await startRedis({
      args: ['--replicaof', '127.0.0.1', `${failing.serverOf('redis').port}`],
    });
    const direct = new Redis(replica.port, { lazyConnect: true });
    try {
      while (!/master_link_status:up/.test(await direct.info('replication'))) await setTimeout(20);
      await direct.replicaof('NO', 'ONE');
      expect(await use()).toBe(200);
      failing.wayTo('redis').leadTo(replica.port);
      const load = Promise.all(Array.from({ length: 6 }, () => callers.permitted()));
      for (let attempt = 0; attempt < 6; attempt++) expect(await use()).not.toBe(200);
      expect(await load).not.toContain(-1);
      expect(await callers.permitted(await callers.recovered())).toBe(200);
      expect(await use()).not.toBe(200);
    } finally {
      direct.disconnect();
      await replica.close();
    }
  },
  rowTimeoutMs,
);
