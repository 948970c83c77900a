import { MemoryLeaseStore, MemoryOneTimeStore, MemoryRateLimiter } from '@behalf/adapter-memory';
import {
  RedisCache,
  RedisLeaseStore,
  RedisOneTimeStore,
  RedisRateLimiter,
  openRedis,
} from '@behalf/adapter-redis';
import type { Cache, Clock, LeaseStore, OneTimeStore, RateLimiter } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import { z } from 'zod';
import type { ServerAddresses } from './server-addresses.js';

export interface ShortLived {
  oneTime: OneTimeStore;
  rateLimiter: RateLimiter;
  /** None in memory: whoever has one process needs no second level. */
  sharedCache?: Cache<string>;
  leases: LeaseStore;
  /** Rejects while it cannot be reached; none in memory. */
  ping?: () => Promise<void>;
  close(): Promise<void>;
}

/** @param isNew nothing was ever made before, so that nothing can have been used already */
export async function openShortLived(
  name: string,
  addresses: ServerAddresses,
  { clock, logger, isNew }: { clock: Clock; logger: Logger; isNew: boolean },
): Promise<ShortLived> {
  if (addresses.REDIS_URL === undefined) {
    return {
      oneTime: new MemoryOneTimeStore(clock, { rememberedSinceMs: isNew ? 0 : clock.nowMs() }),
      rateLimiter: new MemoryRateLimiter(clock),
      leases: new MemoryLeaseStore(clock),
      close: async () => {},
    };
  }
  const redis = await openRedis(addresses.REDIS_URL, {
    name,
    onConnectionLost: (err) => logger.warn({ err }, 'the connection to Redis was lost'),
  });
  const oneTime = new RedisOneTimeStore(redis, clock);
  if (isNew) await oneTime.begin();
  const onError = (err: unknown): void => logger.warn({ err }, 'the shared cache could not be used');
  return {
    oneTime,
    rateLimiter: new RedisRateLimiter(redis),
    sharedCache: new RedisCache(redis, { purpose: 'shared', schema: z.string(), onError }),
    leases: new RedisLeaseStore(redis),
    ping: () => redis.ping(),
    close: () => redis.close(),
  };
}
