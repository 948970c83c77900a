import type { Clock } from '@behalf/ports';

const maxKeys = 10_000;

export interface AttemptLimits {
  attempts: number;
  windowSeconds: number;
}

/** Counts attempts per key in fixed windows, in this process. Bounded: when it is full, the oldest key goes. */
export class AttemptLimiter {
  readonly #windows = new Map<string, { startedAtMs: number; count: number }>();

  constructor(
    private readonly clock: Clock,
    private readonly limits: AttemptLimits,
  ) {}

  /** Counts one attempt. @returns seconds to wait, or undefined when it may go on */
  tryAttempt(key: string): number | undefined {
    const { attempts, windowSeconds } = this.limits;
    const nowMs = this.clock.nowMs();
    let window = this.#windows.get(key);
    if (!window || nowMs >= window.startedAtMs + windowSeconds * 1000) {
      window = { startedAtMs: nowMs, count: 0 };
      this.#windows.delete(key);
      if (this.#windows.size >= maxKeys) this.#windows.delete(this.#windows.keys().next().value as string);
      this.#windows.set(key, window);
    }
    if (window.count >= attempts) {
      return Math.max(1, Math.ceil((window.startedAtMs + windowSeconds * 1000 - nowMs) / 1000));
    }
    window.count++;
    return undefined;
  }

  /** Takes an attempt back that turned out to be rightful. */
  forgive(key: string): void {
    const window = this.#windows.get(key);
    if (window && window.count > 0) window.count--;
  }
}
