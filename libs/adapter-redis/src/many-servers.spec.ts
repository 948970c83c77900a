import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type LocalServer, ServerProcess, findProgram, freePort, startRedis } from '@behalf/local-servers';
import { systemClock } from '@behalf/ports';
import { describeWith } from '@behalf/testing';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type OpenedRedis, RedisOneTimeStore, openRedis } from './index.js';

const ttl = 60;
const keys = Array.from({ length: 40 }, (_, n) => `key-${n}`);

/** Asks until the answer is the one that is waited for: servers that agree among themselves tell nobody when. */
async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what().catch(() => false))) await setTimeout(50);
}

async function useEachKeyOnce(redis: OpenedRedis): Promise<void> {
  const store = new RedisOneTimeStore(redis, systemClock);
  await Promise.all(keys.map((key) => store.put('state', key, `value of ${key}`, ttl)));
  const twice = [...keys, ...keys];
  const taken = await Promise.all(twice.map((key) => store.take('state', key)));
  expect(taken.filter((value) => value !== undefined).sort()).toEqual(
    keys.map((key) => `value of ${key}`).sort(),
  );
  const issuedAtMs = Date.now() + 10_000;
  const claimed = await Promise.all(
    twice.map((key) => store.claim('jti', key, { ttlSeconds: ttl, issuedAtMs })),
  );
  expect(claimed.filter(Boolean)).toHaveLength(keys.length);
}

describeWith('redis-server', 'redis-sentinel')('Redis with Sentinel', () => {
  let servers: LocalServer[] = [];
  let sentinel: ServerProcess;
  let redis: OpenedRedis;
  const promoted = Promise.withResolvers<void>();
  beforeAll(async () => {
    const master = await startRedis();
    const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${master.port}`] });
    servers = [master, replica];
    const direct = new Redis(master.url);
    await until(async () => /connected_slaves:1/.test(await direct.info('replication')));
    direct.disconnect();
    const port = await freePort();
    const file = join(master.folder, 'sentinel.conf');
    await writeFile(
      file,
      `port ${port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 ${master.port} 1\nsentinel down-after-milliseconds main 300\n`,
    );
    sentinel = new ServerProcess({
      command: findProgram('redis-sentinel') ?? '',
      args: [file],
      readyLine: /\+slave slave/,
      onLine: (line) => {
        if (line.includes('+switch-master')) promoted.resolve();
      },
    });
    await sentinel.start();
    redis = await openRedis(`redis+sentinel://127.0.0.1:${port}/main`, { name: 'test' });
  });
  afterAll(async () => {
    await redis.close();
    await sentinel.stop();
    for (const server of servers) await server.close();
  });

  it('follows to the new master, which gives nothing back from before', async () => {
    await useEachKeyOnce(redis);
    const store = new RedisOneTimeStore(redis, systemClock);
    await store.put('state', 'in flight', 'v', ttl);
    await servers[0]!.process.kill();
    await promoted.promise;
    await until(async () => (await store.put('state', 'probe', 'v', ttl)) === undefined);
    expect(await store.take('state', 'in flight')).toBeUndefined();
    expect(await store.claim('jti', 'old', { ttlSeconds: ttl, issuedAtMs: Date.now() - 5_000 })).toBe(false);
    expect(await store.take('state', 'probe')).toBe('v');
  });
});

describeWith('redis-server')('Redis Cluster', () => {
  let servers: LocalServer[] = [];
  let redis: OpenedRedis;
  beforeAll(async () => {
    servers = await Promise.all([0, 1, 2].map(() => startRedis({ args: ['--cluster-enabled', 'yes'] })));
    const direct = servers.map(({ url }) => new Redis(url));
    const slots = 16_384;
    for (const [n, node] of direct.entries()) {
      await node.call(
        'CLUSTER',
        'ADDSLOTSRANGE',
        Math.ceil((n * slots) / 3),
        Math.ceil(((n + 1) * slots) / 3) - 1,
      );
      await node.cluster('MEET', '127.0.0.1', servers[(n + 1) % 3]!.port);
    }
    for (const node of direct) await until(async () => /cluster_state:ok/.test(await node.cluster('INFO')));
    for (const node of direct) {
      node.disconnect();
      await once(node, 'end');
    }
    redis = await openRedis(`redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, {
      name: 'test',
    });
  });
  afterAll(async () => {
    await redis.close();
    for (const server of servers) await server.close();
  });

  it('uses each key once, wherever it is kept', async () => {
    await useEachKeyOnce(redis);
  });

  it('begins a memory of its own where a node was emptied, and nowhere else', async () => {
    const store = new RedisOneTimeStore(redis, systemClock);
    const later = { ttlSeconds: ttl, issuedAtMs: Date.now() + 10_000 };
    await Promise.all(keys.map((key) => store.put('kept', key, 'v', ttl)));
    const direct = new Redis(servers[0]!.url);
    await direct.flushall();
    direct.disconnect();
    const taken = await Promise.all(keys.map((key) => store.take('kept', key)));
    const lost = taken.filter((value) => value === undefined).length;
    expect([lost > 0, lost < keys.length]).toEqual([true, true]);
    expect(await store.claim('new', 'k', later)).toBe(true);
  });
});
