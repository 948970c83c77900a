import type { Cache } from '@behalf/ports';
import { openUnderSecret, sealUnderSecret } from '@behalf/sealing';
import type { z } from 'zod';
import type { OpenedRedis } from './open-redis.js';
import { redisKeys } from './redis-keys.js';

export interface RedisCacheOptions<V> {
  /** Separates caches; our own word. */
  purpose: string;
  schema: z.ZodType<V>;
  /** Redis could not be asked or told. The cache goes on without. */
  onError?: (error: unknown) => void;
}

/**
 * A cache shared by all replicas. Values are sealed under a key derived from their cache key, which therefore has to be
 * hard to guess where the value is secret. Redis that is away is a miss; only `delete` fails then, because what was to
 * be forgotten might come back.
 */
export class RedisCache<V> implements Cache<V> {
  constructor(
    private readonly redis: OpenedRedis,
    private readonly options: RedisCacheOptions<V>,
  ) {}

  async get(key: string): Promise<V | undefined> {
    const { purpose, schema, onError } = this.options;
    try {
      const sealed = await this.redis.run('behalfGet', [redisKeys.cache(purpose, key)], []);
      if (typeof sealed !== 'string') return undefined;
      return schema.parse(JSON.parse(openUnderSecret(key, purpose, sealed)));
    } catch (error) {
      onError?.(error);
      return undefined;
    }
  }

  async set(key: string, value: V, ttlSeconds: number): Promise<void> {
    const { purpose, onError } = this.options;
    const sealed = sealUnderSecret(key, purpose, JSON.stringify(value));
    const values = [sealed, Math.max(1, Math.ceil(ttlSeconds * 1000))];
    await this.redis.run('behalfSet', [redisKeys.cache(purpose, key)], values).catch(onError ?? (() => {}));
  }

  async delete(key: string): Promise<void> {
    await this.redis.run('behalfDelete', [redisKeys.cache(this.options.purpose, key)], []);
  }
}
