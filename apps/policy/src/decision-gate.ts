import { OAuthError } from '@behalf/oauth';

/** By then a queue of this length has drained, or something is broken. */
const retryAfterSeconds = 1;

/**
 * Bounds how many decisions are being made at once. Past the bound it refuses at once instead of queueing: an answer
 * that comes after its caller has given up helps nobody, and the queue would make every other answer late, too.
 */
export class DecisionGate {
  #inFlight = 0;

  constructor(private readonly max: number) {}

  /**
   * @param decisions how many this is; more than fit at all count as all that fit
   * @throws OAuthError `temporarily_unavailable` when they would be too many
   */
  async run<T>(decisions: number, decide: () => Promise<T>): Promise<T> {
    const weight = Math.min(Math.max(decisions, 1), this.max);
    if (this.#inFlight + weight > this.max) {
      throw new OAuthError('temporarily_unavailable', 'too many decisions at once', { retryAfterSeconds });
    }
    this.#inFlight += weight;
    try {
      return await decide();
    } finally {
      this.#inFlight -= weight;
    }
  }
}
