/**
 * What is short-lived and shared by all replicas, in Redis: one-time state, rate limits and caches. Its keys are in
 * docs/redis-keys.md. Losing it costs a retry; nothing that was used once can be used again.
 */
export { type OpenedRedis, openRedis, type RedisOpenOptions } from './open-redis.js';
export { RedisCache, type RedisCacheOptions } from './redis-cache.js';
export { RedisLeaseStore } from './redis-lease-store.js';
export { RedisOneTimeStore } from './redis-one-time-store.js';
export { RedisRateLimiter } from './redis-rate-limiter.js';
export { InvalidRedisUrl, parseRedisUrl, type RedisTarget } from './redis-url.js';
