/** A bounded cache with a lifetime per entry. A miss is always legal: nothing may depend on an entry being there. */
export interface Cache<V> {
  get(key: string): Promise<V | undefined>;
  set(key: string, value: V, ttlSeconds: number): Promise<void>;
  delete(key: string): Promise<void>;
}
