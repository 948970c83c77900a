import type { Cache, Clock } from '@behalf/ports';
import { LRUCache } from 'lru-cache';

export interface MemoryCacheOptions {
  /** When it is full, the entry used longest ago goes. */
  maxEntries: number;
}

/** A bounded cache in this process. Values are kept by reference: whoever stores or gets one must not change it. */
export class MemoryCache<V> implements Cache<V> {
  readonly #entries: LRUCache<string, { value: V; expiresAtMs: number }>;

  constructor(
    private readonly clock: Clock,
    options: MemoryCacheOptions,
  ) {
    this.#entries = new LRUCache({ max: options.maxEntries });
  }

  async get(key: string): Promise<V | undefined> {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    if (entry.expiresAtMs > this.clock.nowMs()) return entry.value;
    this.#entries.delete(key);
    return undefined;
  }

  async set(key: string, value: V, ttlSeconds: number): Promise<void> {
    this.#entries.set(key, { value, expiresAtMs: this.clock.nowMs() + ttlSeconds * 1000 });
  }

  async delete(key: string): Promise<void> {
    this.#entries.delete(key);
  }
}
