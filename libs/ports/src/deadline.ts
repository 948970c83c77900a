import { AsyncLocalStorage } from 'node:async_hooks';
import { OAuthError } from '@behalf/oauth';

const current = new AsyncLocalStorage<Deadline>();
const retryAfterSeconds = 1;

/**
 * How long a request may take altogether, however many parts it asks one after the other. Each has a time limit of its
 * own, and thirty of them in a row would take minutes where one part is slow.
 *
 * Adapters look at it before they begin something: a statement or a transaction, a command, a question on the bus. What
 * has begun is not torn in the middle: a transaction commits or fails as a whole, as without a deadline. So a request
 * whose time is over is refused at its next step, and nothing is allowed or forgotten by that.
 *
 * Reads a clock and has no timer: whoever has to be answered in time sees to that at the edge.
 */
export class Deadline {
  #endsAtMs: number;

  constructor(timeoutMs: number) {
    this.#endsAtMs = performance.now() + timeoutMs;
  }

  /** Runs work so that everything it calls finds this deadline. */
  run<R>(work: () => R): R {
    return current.run(this, work);
  }

  /** Below zero when it has passed. */
  leftMs(): number {
    return this.#endsAtMs - performance.now();
  }

  extend(byMs: number): void {
    this.#endsAtMs += byMs;
  }

  /** The request is answered. What it has left running is nobody's waiting any more, and has its own limits. */
  end(): void {
    this.extend(Infinity);
  }
}

/** Runs work that somebody waits so long for. Does not end it then: it ends at its next step. */
export async function withinDeadline<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = new Deadline(timeoutMs);
  return deadline.run(work).finally(() => deadline.end());
}

/**
 * Runs work that a request has begun and that does not end with it: others share it, or what was begun outside of here
 * has to be noted down.
 */
export function outsideDeadline<R>(work: () => R): R {
  return current.exit(work);
}

/** How long the request may still take that this is done for; `Infinity` where nobody has said. */
export function timeLeftMs(): number {
  return current.getStore()?.leftMs() ?? Infinity;
}

/** @throws OAuthError `temporarily_unavailable` when the time of the request is over */
export function checkDeadline(): void {
  if (timeLeftMs() < 0) throw tookTooLong();
}

/** What a request is refused with whose time is over. */
export function tookTooLong(): OAuthError {
  return new OAuthError('temporarily_unavailable', 'the request took too long', { retryAfterSeconds });
}

/**
 * For what waits for somebody else on purpose, and has a limit for that: a person, a third party, an upstream. What
 * comes before and after it still has to be done in the time of the request.
 *
 * @throws OAuthError `temporarily_unavailable` when the time was over before it: then there is nobody to wait for
 */
export function extendDeadline(byMs: number): void {
  checkDeadline();
  current.getStore()?.extend(byMs);
}
