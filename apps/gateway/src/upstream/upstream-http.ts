import { McpError, type McpMessage, mcpErrorCodes, serializeMessage } from '@behalf/mcp';
import { injectTraceContext } from '@behalf/telemetry';
import { Agent, type Dispatcher, errors, request } from 'undici';
import { abortedFor } from './aborted-for.js';
import { tracedMessage } from './traced-message.js';

export interface UpstreamRequest {
  httpMethod: 'POST' | 'GET' | 'DELETE';
  message?: McpMessage;
  token: string | undefined;
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

  /** @throws McpError 503 when it cannot be reached, 504 when it stays silent, 499 when the caller has gone */
  async send(wanted: UpstreamRequest): Promise<Dispatcher.ResponseData> {
    const { httpMethod, message, token, headers, signal, maySleep = false } = wanted;
    try {
      return await request(this.url, {
        method: httpMethod,
        dispatcher: this.#agent,
        headers: {
          accept: 'application/json, text/event-stream',
          ...headers,
          ...injectTraceContext(),
          ...(message && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        body: message ? JSON.stringify(serializeMessage(tracedMessage(message))) : null,
        signal,
        headersTimeout: this.timeoutMs,
        bodyTimeout: maySleep ? 0 : this.timeoutMs,
      });
    } catch (cause) {
      throw upstreamFailure(cause, signal);
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
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
