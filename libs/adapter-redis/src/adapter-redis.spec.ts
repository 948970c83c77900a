import { type LocalServer, startRedis } from '@behalf/local-servers';
import { systemClock } from '@behalf/ports';
import {
  describeCache,
  describeLeaseStore,
  describeOneTimeStore,
  describeRateLimiter,
  describeWith,
  freePort,
} from '@behalf/testing';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { z } from 'zod';
import {
  type OpenedRedis,
  RedisCache,
  RedisLeaseStore,
  RedisOneTimeStore,
  RedisRateLimiter,
  openRedis,
} from './index.js';

// The server has its own clock: a lifetime of seconds has to pass.
const passSeconds = async (_clock: unknown, seconds: number): Promise<void> => {
  await setTimeout(seconds * 1000 + 20);
};

describeWith('redis-server')('Redis', () => {
  let server: LocalServer;
  let redis: OpenedRedis;
  let direct: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = await openRedis(server.url, { name: 'test' });
    direct = new Redis(server.url);
  });
  afterAll(async () => {
    await redis.close();
    direct.disconnect();
    await server.close();
  });
  const close = async (): Promise<void> => void (await direct.flushall());

  describeOneTimeStore(
    'Redis',
    async () => {
      const store = new RedisOneTimeStore(redis, systemClock);
      // The memory begins a second ahead of the server's clock, which is when claims are possible.
      await store.take('begin', 'it');
      return { store, close };
    },
    { passSeconds, nowMs: () => Date.now() + 5_000 },
  );
  describeLeaseStore('Redis', async () => ({ store: new RedisLeaseStore(redis), empty: close, close }), {
    passMs: async (_clock, ms) => setTimeout(ms),
  });
  describeRateLimiter('Redis', async () => ({ limiter: new RedisRateLimiter(redis), close }), {
    passSeconds,
  });
  describeCache(
    'Redis',
    async () => ({ cache: new RedisCache(redis, { purpose: 'test', schema: z.string() }), close }),
    { passSeconds },
  );

  it('keeps no value and no key that can be read', async () => {
    const store = new RedisOneTimeStore(redis, systemClock);
    await store.put('state', 'the-secret-state', 'the-secret-value', 60);
    const cache = new RedisCache(redis, { purpose: 'tokens', schema: z.string() });
    await cache.set('the-secret-token', 'the-secret-value', 60);
    const keys = (await direct.keys('*')).filter((key) => !key.endsWith(':memory'));
    const dump = [...keys, ...(await direct.mget(keys))].join(' ');
    expect(keys).toHaveLength(2);
    expect(dump).not.toContain('secret');
    await close();
  });

  it('refuses a server that may forget keys before their time', async () => {
    await direct.config('SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
    await expect(openRedis(server.url, { name: 'test' })).rejects.toThrow('noeviction');
    await direct.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction');
  });

  it('takes an answer that was here in time, however late this process gets to it', async () => {
    const impatient = await openRedis(server.url, { name: 'test', commandTimeoutMs: 1_000 });
    // The server knows the script from now on.
    await impatient.run('behalfGet', ['late'], []);
    const answers = Promise.all([impatient.run('behalfGet', ['late'], []), impatient.ping()]);
    // The question has to be sent before everything here stands still.
    await setImmediate();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
    expect(await answers).toEqual([null, undefined]);
    await impatient.close();
  });

  it('tells a server that is not there yet, which is asked again, from one that refuses us', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`;
    await expect(openRedis(nowhere, { name: 'test' })).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
    const locked = server.url.replace('redis://', 'redis://nobody:wrong@');
    await expect(openRedis(locked, { name: 'test' })).rejects.toThrow('WRONGPASS');
  });
});
