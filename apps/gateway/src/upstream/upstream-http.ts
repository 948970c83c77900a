import { McpError, type McpMessage, mcpErrorCodes, serializeMessage } from '@behalf/mcp';
import { injectTraceContext, linkActiveSpan } from '@behalf/telemetry';
import { Agent, type Dispatcher, errors, request } from 'undici';
import { abortedFor } from './aborted-for.js';
import type { ExchangedToken } from './token-exchanger.js';
import { tracedMessage } from './traced-message.js';

export interface UpstreamRequest {
  httpMethod: 'POST' | 'GET' | 'DELETE';
  message?: McpMessage;
  token: ExchangedToken | undefined;
  headers: Record<string, string>;
  signal: AbortSignal;
  /** Whether silence is normal, as on a stream of events. */
  maySleep?: boolean;
}

/** The HTTP client for one upstream. Redirects are not followed: a token is for one place. */
export class UpstreamHttp {
  readonly #agent: Agent;

  constructor(
    private readonly url: string,
    private readonly timeoutMs: number,
  ) {
    this.#agent = new Agent({ connect: { timeout: 5_000 }, allowH2: false });
  }

  /**
   * Sends a request, with a proof of its own where the token is bound to a key, and once more where the server wants a
   * nonce in it.
   *
   * @throws McpError 503 when it cannot be reached, 504 when it stays silent, 499 when the caller has gone
   * @see RFC 9449 §7.1, §9
   */
  async send(wanted: UpstreamRequest): Promise<Dispatcher.ResponseData> {
    const first = await this.#sendOnce(wanted);
    if (!wanted.token?.key || !wantsNonce(first)) return first;
    // Whatever becomes of the rest of it, the next request tells.
    await first.body.dump().catch(() => {});
    return this.#sendOnce(wanted);
  }

  async #sendOnce(wanted: UpstreamRequest): Promise<Dispatcher.ResponseData> {
    const { httpMethod, message, token, headers, signal, maySleep = false } = wanted;
    linkActiveSpan(token?.exchangedIn);
    try {
      const response = await request(this.url, {
        method: httpMethod,
        dispatcher: this.#agent,
        headers: {
          accept: 'application/json, text/event-stream',
          ...headers,
          ...injectTraceContext(),
          ...(message && { 'content-type': 'application/json' }),
          ...(token && (await this.#presentation(token, httpMethod))),
        },
        body: message ? JSON.stringify(serializeMessage(tracedMessage(message))) : null,
        signal,
        headersTimeout: this.timeoutMs,
        bodyTimeout: maySleep ? 0 : this.timeoutMs,
      });
      token?.key?.learn(this.url, response.headers);
      return response;
    } catch (cause) {
      throw upstreamFailure(cause, signal);
    }
  }

  async #presentation(
    { accessToken, key }: ExchangedToken,
    method: string,
  ): Promise<Record<'authorization' | 'dpop', string> | { authorization: string }> {
    if (!key) return { authorization: `Bearer ${accessToken}` };
    const dpop = await key.prove({ method, url: this.url, accessToken });
    return { authorization: `DPoP ${accessToken}`, dpop };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** RFC 9449 §9: the challenge names the error, and the nonce comes with it. */
function wantsNonce({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  return (
    statusCode === 401 &&
    headers['dpop-nonce'] !== undefined &&
    /\berror="?use_dpop_nonce\b/.test(String(headers['www-authenticate']))
  );
}

/** What a failure of the connection means to the caller. */
export function upstreamFailure(cause: unknown, signal: AbortSignal): McpError {
  const known = cause instanceof McpError ? cause : abortedFor(signal);
  if (known) return known;
  const [status, message] = signal.aborted
    ? [499, 'The caller went away']
    : cause instanceof errors.HeadersTimeoutError || cause instanceof errors.BodyTimeoutError
      ? [504, 'The server behind the gateway did not answer in time']
      : [503, 'The server behind the gateway cannot be reached'];
  const retryAfterSeconds = status === 503 ? 2 : undefined;
  return new McpError(mcpErrorCodes.internalError, message, {
    status,
    retryAfterSeconds,
    cause,
  });
}
