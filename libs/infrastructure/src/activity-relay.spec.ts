import { MemoryLeaseStore, MemoryRecordStore } from '@behalf/adapter-memory';
import { NatsBus } from '@behalf/adapter-nats';
import { SqlAuditLog, migrate, openPostgres } from '@behalf/adapter-postgres';
import { parseConfig } from '@behalf/config';
import { decisionMade } from '@behalf/contracts';
import { type LocalServer, startNats, startPostgres } from '@behalf/local-servers';
import type { Publication } from '@behalf/ports';
import { startMetrics } from '@behalf/telemetry';
import { FakeClock, describeWith, forkSource, freePort, readMetrics, sumOf } from '@behalf/testing';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ActivityRelay, tellsActivity } from './activity-relay.js';
import { openInfrastructure } from './open-infrastructure.js';

const fixture = join(process.cwd(), 'libs/infrastructure/src/activity-relayer.fixture.ts');
const decision = (n: number) => ({
  type: 'decision',
  outcome: 'allowed' as const,
  occurredAtMs: 1,
  decisionId: `${n}`,
});

describeWith('postgres', 'nats-server')('the relay of activity, killed in the middle of its work', () => {
  let servers: LocalServer[];
  let close: () => Promise<void>;
  let log: SqlAuditLog;
  const started: ChildProcess[] = [];
  const startRelay = (): ChildProcess => {
    const [postgres, nats] = servers;
    const relay = forkSource(fixture, {
      ACTIVITY_RELAYER: JSON.stringify({ database: postgres!.url, nats: nats!.url }),
    });
    started.push(relay);
    return relay;
  };
  const kill = async (relay: ChildProcess): Promise<void> => {
    relay.kill('SIGKILL');
    await once(relay, 'exit');
  };
  beforeAll(async () => {
    servers = [await startPostgres(), await startNats()];
    const opened = openPostgres(servers[0]!.url, { name: 'writer' });
    close = () => opened.close();
    await migrate(opened.db);
    log = new SqlAuditLog(opened.db, { maxWaiting: 10_000 });
  });
  afterAll(async () => {
    for (const one of started) if (one.exitCode === null && one.signalCode === null) await kill(one);
    await close?.();
    for (const server of servers) await server.close();
  });

  it('loses nothing, tells nothing twice, and tells in the order of the log', async () => {
    const append = (from: number, to: number) =>
      Promise.all(Array.from({ length: to - from }, (_, n) => log.append(decision(from + n))));
    const bus = await NatsBus.open({
      url: servers[1]!.url,
      service: 'listener',
      maxInFlight: 10,
      ownsEvents: false,
    });
    const heard: { sequence: number; id: string }[] = [];
    let reached = (): void => {};
    bus.subscribe(decisionMade, ({ sequence, id }) => {
      heard.push({ sequence, id });
      reached();
    });
    const hears = (count: number) =>
      new Promise<void>((resolve) => {
        reached = () => heard.length >= count && resolve();
        reached();
      });
    await append(0, 3_000);
    // Each is killed with a batch on its way, some of it published and none of it noted down.
    for (const killedAt of [100, 900, 1_700]) {
      const relay = startRelay();
      await hears(killedAt);
      await kill(relay);
    }
    // Two that both believe to be alone, while the log grows.
    startRelay();
    startRelay();
    await append(3_000, 4_000);
    await hears(4_000);
    expect(heard.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 4_000 }, (_, n) => n));
    expect(new Set(heard.map(({ id }) => id)).size).toBe(4_000);
    await bus.close();
  }, 300_000);
});

describe('the relay of activity in several processes', () => {
  it('works in one at a time, and in another one as soon as that has stopped', async () => {
    const clock = new FakeClock();
    const leases = new MemoryLeaseStore(clock);
    const records = new MemoryRecordStore(clock);
    const leaves: string[] = [];
    const told: string[] = [];
    const relayOf = (name: string) =>
      new ActivityRelay({
        service: name,
        leaves: {
          head: async () => ({ size: leaves.length, root: new Uint8Array() }),
          leaves: async (from, limit) => leaves.slice(from, from + limit),
        },
        records,
        bus: {
          publishInOrder: async (batch: readonly Publication[]) =>
            void told.push(...batch.map(({ envelope }) => `${name} ${envelope.sequence}`)),
        },
        origin: 'as.example/audit',
        leases,
        clock,
        logger: { error: () => {} },
      });
    const port = await freePort();
    const measuring = await startMetrics({ serviceName: 'test', host: '127.0.0.1', port });
    const waiting = async () =>
      sumOf(await readMetrics(port), 'behalf_activity_waiting', { service_name: 'a' });
    const [a, b, c] = ['a', 'b', 'c'].map(relayOf) as [ActivityRelay, ActivityRelay, ActivityRelay];
    const all = async (): Promise<void> => {
      leaves.push(JSON.stringify(decision(leaves.length)));
      for (const relay of [a, b, c]) await relay.relay();
    };
    await all();
    clock.advanceSeconds(3);
    await all();
    await a.stop();
    clock.advanceSeconds(3);
    await all();
    // Killed: it says nothing any more, and does not give its place back.
    b.relay = async () => {};
    await all();
    clock.advanceSeconds(10);
    await all();
    expect(told).toEqual(['a 0', 'a 1', 'b 2', 'c 3', 'c 4']);
    expect(await waiting()).toBe(0);
    leaves.push(...[5, 6, 7].map((n) => JSON.stringify(decision(n))));
    expect(await waiting()).toBe(3);
    await c.relay();
    expect(await waiting()).toBe(0);
    await measuring.stop();
  });
});

describe('where activity is told', () => {
  it.each([
    ['apart', true, true],
    ['apart', false, false],
    ['always', true, true],
    ['always', false, true],
    ['never', true, false],
    ['never', false, false],
  ] as const)('%s, with services apart %s: %s', (events, isApart, expected) => {
    expect(tellsActivity(events, isApart)).toBe(expected);
  });

  describeWith('nats-server')('by the configuration alone', () => {
    it('is on NATS what a service has recorded', async () => {
      const nats = await startNats();
      const dataFolder = await mkdtemp(join(tmpdir(), 'behalf-activity-'));
      const demo = parse(await readFile('deploy/demo/behalf.yaml', 'utf8')) as object;
      const config = parseConfig({ ...demo, dataFolder, logLevel: 'silent' }, {});
      const heard = Promise.withResolvers<unknown>();
      const environment = { NATS_URL: nats.url };
      const running = await openInfrastructure(
        { name: 'test', config, environment },
        async (infrastructure) => {
          infrastructure.bus.subscribe(decisionMade, ({ data }) => heard.resolve(data));
          await infrastructure.audit.append(decision(7));
          return { close: async () => {} };
        },
      );
      expect(await heard.promise).toEqual({ decisionId: '7', isPermitted: true });
      await running.close();
      await nats.close();
      await rm(dataFolder, { recursive: true });
    }, 60_000);
  });
});
