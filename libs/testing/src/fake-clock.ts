import type { Clock } from '@behalf/ports';

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  #nowMs: number;

  constructor(nowMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  advanceSeconds(seconds: number): void {
    this.#nowMs += seconds * 1000;
  }

  advanceMs(milliseconds: number): void {
    this.#nowMs += milliseconds;
  }
}
