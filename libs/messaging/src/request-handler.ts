import { AsyncLocalStorage } from 'node:async_hooks';
import { OAuthError } from '@behalf/oauth';
import { type RequestContract, withinDeadline } from '@behalf/ports';
import { type TraceCarrier, inSpan, withTraceContext } from '@behalf/telemetry';
import { copyJson } from './copy-json.js';
import { parseJson } from './parse-json.js';

/** What crosses back over the wire: by default the reply's JSON. */
export type Answer<R = string | undefined> =
  { reply: R } | { problem: 'malformed_request' } | { refusal: { error: string; error_description: string } };

/** The answering side of one subject. Knows nothing of the caller but its message and its trace context. */
export class RequestHandler<Q, A> {
  readonly #running = new Set<Promise<Answer<unknown>>>();
  // A handler must not see the caller's async context (an open transaction, say): over a network it could not.
  readonly #inOwnContext = AsyncLocalStorage.snapshot();

  constructor(
    private readonly contract: RequestContract<Q, A>,
    private readonly handler: (payload: Q) => Promise<A>,
  ) {}

  /**
   * Never rejects: a failure is an answer.
   *
   * @param timeoutMs how long whoever asks waits for it
   */
  answer(json: string | undefined, carrier: TraceCarrier, timeoutMs: number): Promise<Answer> {
    return this.#run(
      parseJson(json),
      carrier,
      timeoutMs,
      (reply) => JSON.stringify(reply) as string | undefined,
    );
  }

  /** The same for a caller in this process: both sides see what they would see over a network. */
  answerValue(value: unknown, carrier: TraceCarrier, timeoutMs: number): Promise<Answer<unknown>> {
    return this.#run(copyJson(value), carrier, timeoutMs, copyJson);
  }

  #run<R>(
    value: unknown,
    carrier: TraceCarrier,
    timeoutMs: number,
    write: (reply: A) => R,
  ): Promise<Answer<R>> {
    const running = this.#inOwnContext(() =>
      inSpan(`process ${this.contract.subject}`, { kind: 'SERVER', parent: withTraceContext(carrier) }, () =>
        withinDeadline(timeoutMs, () => this.#answer(value, write)),
      ).catch(refusalOf),
    );
    this.#running.add(running);
    const forget = (): void => void this.#running.delete(running);
    running.then(forget, forget);
    return running;
  }

  async #answer<R>(value: unknown, write: (reply: A) => R): Promise<Answer<R>> {
    const payload = this.contract.request.safeParse(value);
    if (!payload.success) return { problem: 'malformed_request' };
    return { reply: write(await this.handler(payload.data)) };
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** An OAuthError was meant for the caller; anything else may say what the caller must not know. */
function refusalOf(error: unknown): Answer<never> {
  const meant =
    error instanceof OAuthError ? error : new OAuthError('server_error', 'the request could not be handled');
  return { refusal: meant.toJSON() };
}
