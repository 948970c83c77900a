import { MemoryOneTimeStore, MemoryRateLimiter } from '@behalf/adapter-memory';
import { RedisOneTimeStore, RedisRateLimiter, openRedis } from '@behalf/adapter-redis';
import { type Clock, type OneTimeStore, type RateLimiter } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { ServerAddresses } from './server-addresses.js';

export interface ShortLived {
  oneTime: OneTimeStore;
  rateLimiter: RateLimiter;
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
      close: async () => {},
    };
  }
  const redis = await openRedis(addresses.REDIS_URL, {
    name,
    onConnectionLost: (err) => logger.warn({ err }, 'the connection to Redis was lost'),
  });
  const oneTime = new RedisOneTimeStore(redis, clock);
  if (isNew) await oneTime.begin();
  return { oneTime, rateLimiter: new RedisRateLimiter(redis), close: () => redis.close() };
}
