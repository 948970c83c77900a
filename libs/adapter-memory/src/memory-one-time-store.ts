import type { ClaimOptions, Clock, OneTimeStore } from '@behalf/ports';

/** How many writes go by between two sweeps of what has expired. */
const writesPerSweep = 1000;

interface Entry {
  readonly value: string;
  readonly expiresAtMs: number;
}

export interface MemoryOneTimeStoreOptions {
  /**
   * What was made before this may have been used in an earlier process, and cannot be claimed. Without it nothing
   * is taken to have been before.
   */
  rememberedSinceMs?: number;
}

/** One-time state in this process. Atomic because each verb runs in one turn of the event loop. */
export class MemoryOneTimeStore implements OneTimeStore {
  readonly #values = new Map<string, Entry>();
  readonly #claims = new Map<string, Entry>();
  #writesUntilSweep = writesPerSweep;

  constructor(
    private readonly clock: Clock,
    private readonly options: MemoryOneTimeStoreOptions = {},
  ) {}

  async put(purpose: string, key: string, value: string, ttlSeconds: number): Promise<void> {
    this.#write(this.#values, name(purpose, key), value, ttlSeconds);
  }

  async take(purpose: string, key: string): Promise<string | undefined> {
    const found = this.#live(this.#values, name(purpose, key));
    this.#values.delete(name(purpose, key));
    return found?.value;
  }

  async claim(purpose: string, key: string, { ttlSeconds, issuedAtMs }: ClaimOptions): Promise<boolean> {
    if (issuedAtMs < (this.options.rememberedSinceMs ?? 0)) return false;
    if (this.#live(this.#claims, name(purpose, key))) return false;
    this.#write(this.#claims, name(purpose, key), '', ttlSeconds);
    return true;
  }

  #live(entries: Map<string, Entry>, at: string): Entry | undefined {
    const entry = entries.get(at);
    return entry && entry.expiresAtMs > this.clock.nowMs() ? entry : undefined;
  }

  #write(entries: Map<string, Entry>, at: string, value: string, ttlSeconds: number): void {
    entries.set(at, { value, expiresAtMs: this.clock.nowMs() + ttlSeconds * 1000 });
    if (--this.#writesUntilSweep > 0) return;
    this.#writesUntilSweep = writesPerSweep;
    const now = this.clock.nowMs();
    for (const kept of [this.#values, this.#claims]) {
      for (const [key, entry] of kept) if (entry.expiresAtMs <= now) kept.delete(key);
    }
  }
}

/** Purposes are our own words and hold no NUL, so that no key can reach into another purpose. */
function name(purpose: string, key: string): string {
  return `${purpose}\0${key}`;
}
