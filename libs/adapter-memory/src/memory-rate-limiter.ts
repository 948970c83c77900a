import type { Clock, RateLimit, RateLimiter } from '@behalf/ports';

const maxKeys = 10_000;

/** Counts attempts in this process. Bounded: when it is full, the window begun longest ago goes. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #windows = new Map<string, { endsAtMs: number; count: number }>();

  constructor(private readonly clock: Clock) {}

  async tryAttempt(
    purpose: string,
    key: string,
    { attempts, windowSeconds }: RateLimit,
  ): Promise<number | undefined> {
    const nowMs = this.clock.nowMs();
    const at = name(purpose, key);
    let window = this.#windows.get(at);
    if (!window || nowMs >= window.endsAtMs) {
      window = { endsAtMs: nowMs + windowSeconds * 1000, count: 0 };
      this.#windows.delete(at);
      if (this.#windows.size >= maxKeys) this.#windows.delete(this.#windows.keys().next().value as string);
      this.#windows.set(at, window);
    }
    if (window.count >= attempts) return Math.max(1, Math.ceil((window.endsAtMs - nowMs) / 1000));
    window.count++;
    return undefined;
  }

  async forgive(purpose: string, key: string): Promise<void> {
    const window = this.#windows.get(name(purpose, key));
    if (window && window.count > 0) window.count--;
  }
}

/** Purposes are our own words and hold no NUL, so that no key can reach into another purpose. */
function name(purpose: string, key: string): string {
  return `${purpose}\0${key}`;
}
