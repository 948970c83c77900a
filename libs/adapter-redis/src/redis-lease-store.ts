import type { Lease, LeaseStore } from '@behalf/ports';
import type { OpenedRedis } from './open-redis.js';
import { redisKeys } from './redis-keys.js';

/** Longer than any lease: by then the server's clock has gone past the fence. */
const fenceMemoryMs = 24 * 3600 * 1000;

/** Leases in Redis, by the server's clock. Fences are made of its time, so that they grow even when it was emptied. */
export class RedisLeaseStore implements LeaseStore {
  constructor(private readonly redis: OpenedRedis) {}

  async acquire(name: string, ttlMs: number): Promise<Lease | undefined> {
    const keys = [redisKeys.lease(name), redisKeys.fence(name)];
    const fence = await this.redis.run('behalfAcquire', keys, [ttlMs, fenceMemoryMs]);
    return typeof fence === 'string' ? { name, fence: Number(fence) } : undefined;
  }

  async renew({ name, fence }: Lease, ttlMs: number): Promise<boolean> {
    return (await this.redis.run('behalfRenew', [redisKeys.lease(name)], [fence, ttlMs])) === 1;
  }

  async release({ name, fence }: Lease): Promise<void> {
    await this.redis.run('behalfRelease', [redisKeys.lease(name)], [fence]);
  }
}
