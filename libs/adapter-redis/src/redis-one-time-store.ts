import { randomUUID } from 'node:crypto';
import type { ClaimOptions, Clock, OneTimeStore } from '@behalf/ports';
import { openUnderSecret, sealUnderSecret } from '@behalf/sealing';
import type { OpenedRedis } from './open-redis.js';
import { memoryParts, partOf, redisKeys } from './redis-keys.js';

/**
 * One-time state in Redis. Each verb is one script. A server that was emptied, restarted or replaced by a replica
 * begins a new memory: it gives back no value from before, and takes no claim of what was made before.
 *
 * Does not protect against two servers that both take themselves for the master and are both reached: set
 * `min-replicas-to-write` where that can be. Values are sealed under their key, so a copy of Redis opens none.
 */
export class RedisOneTimeStore implements OneTimeStore {
  constructor(
    private readonly redis: OpenedRedis,
    private readonly clock: Clock,
  ) {}

  /** For a deployment that never ran before: nothing can have been used, so everything can be claimed. */
  async begin(): Promise<void> {
    const parts = Array.from({ length: memoryParts }, (_, part) => redisKeys.memory(part));
    await Promise.all(parts.map((key) => this.redis.run('behalfBegin', [key], this.#newMemory())));
  }

  async put(purpose: string, key: string, value: string, ttlSeconds: number): Promise<void> {
    const sealed = sealUnderSecret(key, purpose, value);
    await this.#run('behalfPut', purpose, key, redisKeys.value(purpose, key), [sealed, ttlSeconds * 1000]);
  }

  async take(purpose: string, key: string): Promise<string | undefined> {
    const kept = await this.#run('behalfTake', purpose, key, redisKeys.value(purpose, key), []);
    return typeof kept === 'string' ? openUnderSecret(key, purpose, kept) : undefined;
  }

  async claim(purpose: string, key: string, { ttlSeconds, issuedAtMs }: ClaimOptions): Promise<boolean> {
    const marker = redisKeys.used(purpose, key);
    const values = [Math.floor(issuedAtMs), Math.max(1, Math.ceil(ttlSeconds * 1000))];
    return (await this.#run('behalfClaim', purpose, key, marker, values)) === 1;
  }

  #run(
    script: 'behalfPut' | 'behalfTake' | 'behalfClaim',
    purpose: string,
    key: string,
    at: string,
    values: readonly (string | number)[],
  ): Promise<unknown> {
    const memory = redisKeys.memory(partOf(purpose, key));
    return this.redis.run(script, [memory, at], [...this.#newMemory(), ...values]);
  }

  #newMemory(): [string, number] {
    return [randomUUID(), this.clock.nowMs()];
  }
}
