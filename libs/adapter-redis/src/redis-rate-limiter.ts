import type { RateLimit, RateLimiter } from '@behalf/ports';
import type { OpenedRedis } from './open-redis.js';
import { redisKeys } from './redis-keys.js';

/** Counts attempts in Redis. A server that lost its memory counts from nothing. */
export class RedisRateLimiter implements RateLimiter {
  constructor(private readonly redis: OpenedRedis) {}

  async tryAttempt(
    purpose: string,
    key: string,
    { attempts, windowSeconds }: RateLimit,
  ): Promise<number | undefined> {
    const values = [attempts, windowSeconds * 1000];
    const waitMs = await this.redis.run('behalfAttempt', [redisKeys.rate(purpose, key)], values);
    return waitMs === -1 ? undefined : Math.max(1, Math.ceil(Number(waitMs) / 1000));
  }

  async forgive(purpose: string, key: string): Promise<void> {
    await this.redis.run('behalfForgive', [redisKeys.rate(purpose, key)], []);
  }
}
