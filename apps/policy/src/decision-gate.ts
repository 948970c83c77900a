import { OAuthError } from '@behalf/oauth';

/** By then a queue of this length has drained, or something is broken. */
const retryAfterSeconds = 1;
const tellEveryMs = 1_000;

/**
 * What everybody who is shed is told. One for all: taking a stack each time, or writing a line for each in the log, makes
 * shedding cost as much as deciding, and then it helps nobody.
 */
const tooMany = new OAuthError('temporarily_unavailable', 'too many decisions at once', {
  retryAfterSeconds,
});

/** True for what needs no line of its own in the log: the gate tells of all of them together. */
export function isShed(error: unknown): boolean {
  return error === tooMany;
}

/**
 * Bounds how many decisions are being made at once. Past the bound it refuses at once instead of queueing: an answer
 * that comes after its caller has given up helps nobody, and the queue would make every other answer late, too.
 */
export class DecisionGate {
  #inFlight = 0;
  #shed = 0;

  /** @param onShed told at most once a second how many were refused since it was told last */
  constructor(
    private readonly max: number,
    private readonly onShed: (count: number) => void,
  ) {}

  /**
   * For edges, before they read or verify anything: what is refused should cost next to nothing.
   *
   * @throws OAuthError `temporarily_unavailable` when not even one decision more would be made
   */
  check(): void {
    if (this.#inFlight >= this.max) this.#refuse();
  }

  /**
   * @param decisions how many this is; more than fit at all count as all that fit
   * @throws OAuthError `temporarily_unavailable` when they would be too many
   */
  async run<T>(decisions: number, decide: () => Promise<T>): Promise<T> {
    const weight = Math.min(Math.max(decisions, 1), this.max);
    if (this.#inFlight + weight > this.max) this.#refuse();
    this.#inFlight += weight;
    try {
      return await decide();
    } finally {
      this.#inFlight -= weight;
    }
  }

  #refuse(): never {
    if (this.#shed === 0) setTimeout(() => this.#tell(), tellEveryMs).unref();
    this.#shed += 1;
    throw tooMany;
  }

  #tell(): void {
    this.onShed(this.#shed);
    this.#shed = 0;
  }
}
