import {
  type Json,
  McpError,
  type McpRequest,
  type McpResponse,
  mcpErrorCodes,
  isJsonObject,
  metaKeys,
  negotiateLegacyVersion,
  serializeMessage,
  sharedCapabilities,
  toDiscoverResult,
  toLegacyRequest,
  toModernError,
  toModernResult,
} from '@behalf/mcp';
import { attributes } from '@behalf/telemetry';
import { setTimeout } from 'node:timers/promises';
import { attributeElicitations, requiredBy } from '../elicitation/attribute-elicitations.js';
import {
  type EarlierElicitation,
  readEarlier,
  renderRequired,
  wereShown,
} from '../elicitation/bridged-elicitations.js';
import { respondDeclined } from '../elicitation/declined.js';
import { redactAnswer } from '../enforcement/redact-answer.js';
import type { McpAnswer } from '../http/mcp-answer.js';
import type { LegacyConnection } from './legacy-connection.js';
import { OpenCalls } from './open-calls.js';
import { inUpstreamSpan } from './traced-message.js';
import { unreadableAnswer } from './upstream-answer.js';
import type { Exchange } from './upstream.js';

/** What needs a session of one's own, which a shared connection does not have. */
const needsSession = new Set([
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'tasks/get',
  'tasks/update',
  'tasks/list',
  'tasks/result',
  'tasks/cancel',
]);

/** How often a server is asked whether its person has finished, and for how long while the client waits. */
const retryPauseMs = 1_000;
const longestWaitMs = 15_000;

/** Serves clients of both eras, without sessions, from a connection to a server of the legacy era. */
export class Bridge {
  readonly #openCalls = new OpenCalls();

  async handle(exchange: Exchange, connection: LegacyConnection, answer: McpAnswer): Promise<void> {
    const { message, era } = exchange;
    if (message.kind === 'response') return answer.accepted();
    if (message.kind === 'notification') {
      if (message.method === 'notifications/cancelled')
        this.#openCalls.cancel(exchange.caller, message.params?.['requestId']);
      return answer.accepted();
    }
    const own = era === 'modern' ? modernAnswer(message, connection) : legacyAnswer(message, connection);
    if (own !== undefined) return answer.respond(own);
    if (message.method === 'subscriptions/listen') return listen(message, exchange.signal, answer);
    if (needsSession.has(message.method)) throw notFound(era);
    await this.#call(exchange, message, connection, answer);
  }

  async #call(
    exchange: Exchange,
    message: McpRequest,
    connection: LegacyConnection,
    answer: McpAnswer,
  ): Promise<void> {
    const { era, caller, server } = exchange;
    const { method } = message;
    const earlier = readEarlier(message);
    if (era === 'modern' && earlier.isDeclined) return respondDeclined(era, message, answer);
    const open = this.#openCalls.open(caller, message.id, exchange.signal);
    try {
      const { reply, required } = await this.#reply(
        exchange,
        message,
        connection,
        answer,
        open.signal,
        earlier,
      );
      if (required && era === 'modern') return answer.respond(renderRequired(message, required, earlier));
      if ('error' in reply) {
        const attributed = attributeElicitations(reply, server);
        const { error } = redactAnswer(attributed, exchange.redact) as typeof reply;
        const { code, message: text, data } = error;
        throw era === 'modern' ? toModernError(error) : new McpError(code, text, { status: 200, data });
      }
      const result =
        era === 'modern' ? toModernResult(method, reply.result, connection.server) : reply.result;
      const filtered = await exchange.filterResult(result);
      const passing = redactAnswer({ result: filtered }, exchange.redact);
      if (!isJsonObject(passing?.['result']))
        throw unreadableAnswer('a task, where fields must be taken out');
      answer.respond(passing['result']);
    } finally {
      open.close();
    }
  }

  /** Asks the server; on a retry again and again for a while, as long as it waits for the same of its person. */
  async #reply(
    exchange: Exchange,
    message: McpRequest,
    connection: LegacyConnection,
    answer: McpAnswer,
    signal: AbortSignal,
    earlier: EarlierElicitation,
  ): Promise<{ reply: McpResponse['body']; required: Json[] | undefined }> {
    for (let waitedMs = 0; ; waitedMs += retryPauseMs) {
      const reply = await this.#ask(exchange, message, connection, answer, signal);
      const required = 'error' in reply ? requiredBy(reply.error, exchange.server) : undefined;
      const isWaiting = required !== undefined && exchange.era === 'modern' && wereShown(required, earlier);
      if (!isWaiting || waitedMs >= longestWaitMs) return { reply, required };
      // Whoever goes away meanwhile is noticed by the next attempt.
      await setTimeout(retryPauseMs, undefined, { signal }).catch(() => {});
    }
  }

  #ask(
    exchange: Exchange,
    message: McpRequest,
    connection: LegacyConnection,
    answer: McpAnswer,
    signal: AbortSignal,
  ): Promise<McpResponse['body']> {
    const { method, params } = exchange.era === 'modern' ? toLegacyRequest(message) : message;
    return inUpstreamSpan(exchange.server, message, async (span) => {
      const received = await connection.request({
        method,
        params,
        signal,
        headers: exchange.injected,
        onNotification: (notification) => {
          const passing = redactAnswer(serializeMessage(notification), exchange.redact);
          if (passing !== undefined) answer.notify(passing);
        },
      });
      const failed = 'error' in received ? String(received.error.code) : toolError(received.result);
      if (failed !== undefined) span?.setAttribute(attributes.errorType, failed);
      return received;
    });
  }
}

function toolError(result: Json): string | undefined {
  return result['isError'] === true ? 'tool_error' : undefined;
}

function modernAnswer({ method }: McpRequest, { server }: LegacyConnection): Json | undefined {
  return method === 'server/discover' ? toDiscoverResult(server) : undefined;
}

function legacyAnswer({ method, params }: McpRequest, { server }: LegacyConnection): Json | undefined {
  if (method === 'ping') return {};
  if (method !== 'initialize') return undefined;
  return {
    protocolVersion: negotiateLegacyVersion(params?.['protocolVersion']),
    capabilities: sharedCapabilities(server.capabilities),
    serverInfo: server.serverInfo,
    ...(server.instructions !== undefined && { instructions: server.instructions }),
  };
}

/**
 * Holds a stream on which nothing will come: the connection behind announces changes to nobody in particular. The
 * acknowledgement says so, and the stream ends in order when the gateway closes.
 *
 * @see MCP 2026-07-28, basic/patterns/subscriptions
 */
async function listen(request: McpRequest, signal: AbortSignal, answer: McpAnswer): Promise<void> {
  if (!isJsonObject(request.params?.['notifications']))
    throw new McpError(mcpErrorCodes.invalidParams, 'Invalid params: notifications is missing', {
      status: 200,
    });
  const _meta = { [metaKeys.subscriptionId]: request.id };
  answer.startStream();
  answer.notify({
    jsonrpc: '2.0',
    method: 'notifications/subscriptions/acknowledged',
    params: { notifications: {}, _meta },
  });
  if (!signal.aborted)
    await new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  answer.respond({ resultType: 'complete', _meta });
}

function notFound(era: 'modern' | 'legacy'): McpError {
  return new McpError(mcpErrorCodes.methodNotFound, 'Method not found', {
    status: era === 'modern' ? 404 : 200,
  });
}
