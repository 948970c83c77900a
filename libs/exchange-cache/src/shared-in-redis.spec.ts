import { RedisCache, type OpenedRedis, openRedis } from '@behalf/adapter-redis';
import { type LocalServer, startRedis } from '@behalf/local-servers';
import { describeWith } from '@behalf/testing';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { exchangeSystem } from './exchange-system.fixture.js';

describeWith('redis-server')('two processes that share Redis', () => {
  let server: LocalServer;
  let redis: OpenedRedis;
  let failures: unknown[];
  beforeAll(async () => {
    server = await startRedis();
    redis = await openRedis(server.url, { name: 'test' });
  });
  afterAll(async () => {
    await redis.close();
    await server.close();
  });
  beforeEach(async () => {
    failures = [];
    await server.restartEmpty();
    await redis.run('behalfGet', ['ready'], []);
  });

  const twoSystems = () => {
    const onError = (error: unknown): void => void failures.push(error);
    const shared = new RedisCache(redis, { purpose: 'shared', schema: z.string(), onError });
    const [one, other] = [exchangeSystem(shared), exchangeSystem(shared)];
    // It believes what is shared only when it knows which policies are in force.
    other.cache.policyChanged('v1');
    return [one, other] as const;
  };

  it('mint once, and keep nothing there that can be read or outlives the token', async () => {
    const [one, other] = twoSystems();
    const first = await one.exchange();
    expect(await other.exchange()).toEqual(first);
    expect([one.state.minted, other.state.minted]).toEqual([1, 0]);
    expect(other.state.records).toMatchObject([{ details: { cached: 'shared' } }]);

    const direct = new Redis(server.url);
    const keys = await direct.keys('*');
    expect(keys).toHaveLength(1);
    expect([...keys, ...(await direct.mget(keys))].join(' ')).not.toMatch(/token 1|subject|alice/);
    const ttlMs = await direct.pttl(keys[0]!);
    expect(ttlMs).toBeGreaterThan(0);
    expect(ttlMs).toBeLessThanOrEqual(first.expires_in * 1000);
    direct.disconnect();
  });

  it('give nothing out again that was revoked, from wherever it came', async () => {
    const [one, other] = twoSystems();
    await one.exchange();
    for (const { state } of [one, other]) state.revoked.add('jti of subject');
    await expect(other.exchange()).rejects.toMatchObject({ code: 'invalid_request' });
    expect(other.state.minted).toBe(0);
  });

  it('mint by themselves when Redis is gone, and say so', async () => {
    const [one, other] = twoSystems();
    await one.exchange();
    await server.process.kill();
    expect(await other.exchange()).toMatchObject({ issued_token_type: expect.any(String) });
    expect(other.state.minted).toBe(1);
    expect(failures).not.toEqual([]);
    await server.process.start();
  });
});
