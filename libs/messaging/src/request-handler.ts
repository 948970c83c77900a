import { AsyncLocalStorage } from 'node:async_hooks';
import { OAuthError } from '@behalf/oauth';
import type { RequestContract } from '@behalf/ports';
import { type TraceCarrier, inSpan, withTraceContext } from '@behalf/telemetry';
import { parseJson } from './parse-json.js';

/** What crosses back over the wire. */
export type Answer =
  | { reply: string | undefined }
  | { problem: 'malformed_request' }
  | { refusal: { error: string; error_description: string } };

/** The answering side of one subject. Knows nothing of the caller but its message and its trace context. */
export class RequestHandler<Q, A> {
  readonly #running = new Set<Promise<Answer>>();
  // A handler must not see the caller's async context (an open transaction, say): over a network it could not.
  readonly #inOwnContext = AsyncLocalStorage.snapshot();

  constructor(
    private readonly contract: RequestContract<Q, A>,
    private readonly handler: (payload: Q) => Promise<A>,
  ) {}

  /** Never rejects: a failure is an answer. */
  answer(json: string | undefined, carrier: TraceCarrier): Promise<Answer> {
    const running = this.#inOwnContext(() =>
      inSpan(`process ${this.contract.subject}`, { kind: 'SERVER', parent: withTraceContext(carrier) }, () =>
        this.#answer(json),
      ).catch(refusalOf),
    );
    this.#running.add(running);
    void running.finally(() => this.#running.delete(running));
    return running;
  }

  async #answer(json: string | undefined): Promise<Answer> {
    const payload = this.contract.request.safeParse(parseJson(json));
    if (!payload.success) return { problem: 'malformed_request' };
    return { reply: JSON.stringify(await this.handler(payload.data)) };
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

/** An OAuthError was meant for the caller; anything else may say what the caller must not know. */
function refusalOf(error: unknown): Answer {
  const meant =
    error instanceof OAuthError ? error : new OAuthError('server_error', 'the request could not be handled');
  return { refusal: meant.toJSON() };
}
