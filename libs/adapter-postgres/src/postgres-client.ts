import { OAuthError } from '@behalf/oauth';
import { Client, type ClientConfig } from 'pg';

const noAnswer = 'no answer in time';
/** What says that our own time is over: for an answer, or, in the words of pg, for a connection. */
const timeouts = [
  noAnswer,
  'timeout exceeded when trying to connect',
  'Connection terminated due to connection timeout',
];
/**
 * Classes of errors that are about the server and not about what was asked: connection exception, insufficient
 * resources, operator intervention (which a statement that took too long counts as), system error.
 *
 * @see PostgreSQL, appendix A
 */
const serverClasses = ['08', '53', '57', '58'];

/**
 * One connection. After a query that got no answer in time it is closed, because the answer may still come, and would
 * be taken for the one to the next query.
 *
 * Failures of the server are `temporarily_unavailable`; what the database says to a statement passes as it is.
 */
export class PostgresClient extends Client {
  readonly #answerTimeoutMs: number;

  /** @param config `query_timeout` is kept here instead of by pg, which takes a late look for a late answer */
  constructor({ query_timeout: answerTimeoutMs = 0, ...config }: ClientConfig = {}) {
    super(config);
    this.#answerTimeoutMs = answerTimeoutMs;
  }

  // The base class has a dozen signatures for this; Kysely uses the one that takes text and values.
  override query(...input: unknown[]): never {
    const answer = (super.query as (...all: unknown[]) => unknown).apply(this, input);
    if (!(answer instanceof Promise)) return answer as never;
    return this.#inTime(answer).catch((error: unknown) => {
      // Marks it as ended at once, so that the pool gives it to nobody.
      if (isTimeout(error)) this.end().catch(() => {});
      throw toUnavailable(error);
    }) as never;
  }

  #inTime<T>(answer: Promise<T>): Promise<T> {
    if (this.#answerTimeoutMs === 0) return answer;
    return new Promise((resolve, reject) => {
      // After a process was busy for long, its timers come before the answers that have been here for long: those are
      // read before the immediates.
      const timer = setTimeout(() => setImmediate(() => reject(new Error(noAnswer))), this.#answerTimeoutMs);
      answer.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}

/** @returns the error itself when it is not about the server */
export function toUnavailable(error: unknown): unknown {
  const code = (error as { code?: unknown } | null)?.code;
  const isSqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
  if (isSqlState && !serverClasses.includes(code.slice(0, 2))) return error;
  if (error instanceof OAuthError) return error;
  return new OAuthError('temporarily_unavailable', 'the database cannot be reached', {
    cause: error,
    retryAfterSeconds: 1,
  });
}

/** Whether our own time was over, for an answer or for a connection. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && timeouts.includes(error.message);
}
