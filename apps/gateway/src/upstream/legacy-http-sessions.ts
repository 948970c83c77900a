import {
  type Caller,
  type InitializeResult,
  type Json,
  type McpMessage,
  type McpRequest,
  type McpResponse,
  mcpErrorCodes,
  metaKeys,
  metaOf,
  parseMessage,
  withMeta,
} from '@behalf/mcp';
import { LRUCache } from 'lru-cache';
import {
  type LegacyCall,
  type LegacyConnection,
  initializeParams,
  initializeResultSchema,
} from './legacy-connection.js';
import { sseEvents } from './sse-events.js';
import type { ExchangedToken } from './token-exchanger.js';
import { maxMessageBytes, parseUpstreamJson, readUpstreamText, unreadableAnswer } from './upstream-answer.js';
import { type UpstreamHttp, upstreamFailure } from './upstream-http.js';

/** A session of one person and client: the server can ask them for something. */
const personalInitializeParams = { ...initializeParams, capabilities: { elicitation: { url: {} } } };
const maxSessions = 1_000;
const sessionMs = 300_000;

interface Session {
  server: InitializeResult;
  headers: Record<string, string>;
}

/** Sessions with a server of the legacy era, one for each person and client, begun for clients that have none. */
export class LegacyHttpSessions {
  readonly #sessions = new LRUCache<string, Session>({ max: maxSessions, ttl: sessionMs });
  #nextId = 1;

  constructor(private readonly http: UpstreamHttp) {}

  /** @throws McpError when the handshake fails */
  async connect(
    caller: Caller,
    token: ExchangedToken | undefined,
    signal: AbortSignal,
  ): Promise<LegacyConnection> {
    const key = JSON.stringify([caller.sub, caller.client_id]);
    const session = this.#sessions.get(key) ?? (await this.#begin(token, signal));
    this.#sessions.set(key, session);
    return {
      server: session.server,
      request: async (call) => {
        try {
          return await this.#post(call, session.headers, token);
        } catch (error) {
          if (!(error instanceof SessionEnded)) throw error;
          this.#sessions.delete(key);
          const renewed = await this.#begin(token, signal);
          this.#sessions.set(key, renewed);
          return this.#post(call, renewed.headers, token);
        }
      },
    };
  }

  async #begin(token: ExchangedToken | undefined, signal: AbortSignal): Promise<Session> {
    const headers: Record<string, string> = {};
    const answer = await this.#post(
      { method: 'initialize', params: personalInitializeParams, onNotification: () => {}, signal },
      headers,
      token,
    );
    const server = initializeResultSchema.safeParse('result' in answer ? answer.result : undefined);
    if (!server.success) throw unreadableAnswer(server.error);
    headers['mcp-protocol-version'] = server.data.protocolVersion;
    const message = { kind: 'notification', method: 'notifications/initialized', params: undefined } as const;
    const { body } = await this.http.send({ httpMethod: 'POST', message, token, headers, signal });
    await body.dump();
    return { server: server.data, headers };
  }

  /** Sends one request and reads its answer, whichever form it has. Learns the session id of an `initialize`. */
  async #post(
    { method, params, onNotification, signal, headers: ofCall }: LegacyCall,
    headers: Record<string, string>,
    token: ExchangedToken | undefined,
  ): Promise<McpResponse['body']> {
    const id = this.#nextId++;
    const call: McpRequest = { kind: 'request', id, method, params };
    const { progressToken, ...meta } = metaOf(call);
    const message =
      progressToken === undefined ? call : withMeta(call, { ...meta, [metaKeys.progressToken]: id });
    const sent = { ...headers, ...ofCall };
    const response = await this.http.send({ httpMethod: 'POST', message, token, headers: sent, signal });
    const { statusCode, body } = response;
    const pushed: Json[] = [];
    try {
      if (statusCode === 404 && 'mcp-session-id' in headers) throw new SessionEnded();
      const sessionId = response.headers['mcp-session-id'];
      if (method === 'initialize' && typeof sessionId === 'string') headers['mcp-session-id'] = sessionId;
      for await (const received of messagesOf(response.headers['content-type'], body)) {
        if (received.kind === 'response' && (received.id === id || statusCode !== 200))
          return withPushed(received.body, pushed);
        if (received.kind === 'request') {
          if (received.method === 'elicitation/create' && received.params?.['mode'] === 'url')
            pushed.push(received.params);
          await this.#refuse(received, headers, token, signal);
        }
        if (received.kind !== 'notification' || received.params?.['progressToken'] !== id) continue;
        if (received.method === 'notifications/progress')
          onNotification({ ...received, params: { ...received.params, progressToken } });
      }
      throw unreadableAnswer(`status ${statusCode} without a response`);
    } catch (cause) {
      if (cause instanceof SessionEnded) throw cause;
      throw upstreamFailure(cause, signal);
    } finally {
      body.on('error', () => {}).destroy();
    }
  }

  /** The client cannot be asked now, only with the answer. Then nobody waits for it here. */
  async #refuse(
    { id, method }: McpRequest,
    headers: Record<string, string>,
    token: ExchangedToken | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const error = { code: mcpErrorCodes.methodNotFound, message: 'Method not found' };
    const reply = method === 'elicitation/create' ? { result: { action: 'cancel' } } : { error };
    const message = { kind: 'response', id, body: reply } as const;
    const { body } = await this.http.send({ httpMethod: 'POST', message, token, headers, signal });
    await body.dump();
  }
}

/** A call that failed after the server had asked for something: what it asked for is what the call needs. */
function withPushed(body: McpResponse['body'], pushed: readonly Json[]): McpResponse['body'] {
  const hasFailed = 'error' in body || body.result['isError'] === true;
  if (!hasFailed || pushed.length === 0) return body;
  const message = 'This request needs something from its person first.';
  return {
    error: {
      code: mcpErrorCodes.legacyUrlElicitationRequired,
      message,
      data: { elicitations: pushed },
    },
  };
}

class SessionEnded extends Error {}

async function* messagesOf(
  type: string | string[] | undefined,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<McpMessage> {
  if (String(type).startsWith('text/event-stream')) {
    for await (const { data } of sseEvents(body, maxMessageBytes)) if (data) yield readable(data);
    return;
  }
  yield readable(await readUpstreamText(body, maxMessageBytes));
}

function readable(text: string): McpMessage {
  const message = parseUpstreamJson(text);
  try {
    return parseMessage(message);
  } catch (cause) {
    throw unreadableAnswer(cause);
  }
}
