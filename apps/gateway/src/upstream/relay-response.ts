import {
  type Json,
  McpError,
  behalfErrorCodes,
  isJsonObject,
  markPrivate,
  mcpErrorCodes,
  showsUrls,
} from '@behalf/mcp';
import type { Logger } from '@behalf/service-kit';
import { pipeline } from 'node:stream/promises';
import type { Dispatcher } from 'undici';
import { attributeElicitations } from '../elicitation/attribute-elicitations.js';
import type { SessionBinding } from '../enforcement/session-binding.js';
import { redactAnswer } from '../enforcement/redact-answer.js';
import type { McpAnswer } from '../http/mcp-answer.js';
import { abortedFor } from './aborted-for.js';
import { formatEvent, type SseEvent, sseEvents } from './sse-events.js';
import { maxMessageBytes, parseUpstreamJson, readUpstreamText, unreadableAnswer } from './upstream-answer.js';
import { upstreamFailure } from './upstream-http.js';
import type { Exchange, SessionExchange } from './upstream.js';

export interface RelayOptions {
  name: string;
  sessions: SessionBinding;
  logger: Logger;
}

/**
 * Passes the answer of an upstream on. Streams go through event by event, as fast as the client takes them; every list
 * in them is filtered, whichever request it answers, and every session and event id is bound to the caller. Only the
 * headers that MCP uses come through; challenges of the upstream are about our token and stay here.
 *
 * @throws McpError when nothing of the answer can be passed on
 */
export async function relayResponse(
  upstream: Dispatcher.ResponseData,
  exchange: Exchange | SessionExchange,
  answer: McpAnswer,
  options: RelayOptions,
): Promise<void> {
  const type = String(upstream.headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase();
  try {
    checkStatus(upstream, type);
    const headers = sessionHeaders(upstream, exchange, options);
    if (type === 'text/event-stream') return await relayEvents(upstream, exchange, answer, headers, options);
    const isMessage = type === 'application/json' && upstream.statusCode !== 202;
    if (isMessage && (answer.streaming || !mayPassUnread(upstream.statusCode, exchange, options)))
      return await relayMessage(upstream, exchange, answer, headers);
    await relayUnread(upstream, exchange, answer, headers, type, options);
  } catch (cause) {
    upstream.body.on('error', () => {}).destroy();
    // The stream ends because its client or the gateway does: there is nobody to tell.
    if (exchange.signal.aborted && answer.streaming && !wasRevoked(exchange)) return answer.end();
    const failure = upstreamFailure(cause, exchange.signal);
    // Part of the answer has left: an event stream can still end with an error, anything else can only break off.
    if (answer.begun && !answer.streaming) answer.response.destroy();
    throw failure;
  }
}

/** A call that ends by revocation tells its caller; a stream of a session has no request to answer. */
function wasRevoked(exchange: Exchange | SessionExchange): boolean {
  return 'message' in exchange && abortedFor(exchange.signal) !== undefined;
}

function checkStatus({ statusCode, headers }: Dispatcher.ResponseData, type: string | undefined): void {
  if (statusCode === 401 || statusCode === 403)
    throw new McpError(behalfErrorCodes.denied, 'The server behind the gateway refused the call', {
      status: statusCode === 403 ? 403 : 502,
    });
  if (statusCode === 429 || statusCode === 503)
    throw new McpError(mcpErrorCodes.internalError, 'The server behind the gateway is busy', {
      status: 503,
      retryAfterSeconds: Number(headers['retry-after']) || 1,
    });
  if (statusCode >= 500 || (statusCode >= 300 && statusCode < 400))
    throw new McpError(mcpErrorCodes.internalError, 'The server behind the gateway failed', { status: 502 });
  if (statusCode >= 400 && statusCode !== 405 && type !== 'application/json')
    throw new McpError(mcpErrorCodes.internalError, 'The server behind the gateway refused the message', {
      status: statusCode,
    });
}

function sessionHeaders(
  { headers }: Dispatcher.ResponseData,
  exchange: Exchange | SessionExchange,
  { sessions, name }: RelayOptions,
): Record<string, string> {
  const id = headers['mcp-session-id'];
  if (typeof id !== 'string' || ('era' in exchange && exchange.era === 'modern')) return {};
  return { 'Mcp-Session-Id': sessions.wrap('session', name, exchange.caller, id, offersUrls(exchange)) };
}

function offersUrls(exchange: Exchange | SessionExchange): boolean {
  return 'message' in exchange && exchange.message.kind === 'request' && showsUrls(exchange.message);
}

/**
 * Results of tools may be large and hold no lists, so they pass unread, as errors do; everything else is looked at,
 * and all of it when fields have to be taken out, or when the client would show its person what the server sends.
 */
function mayPassUnread(
  statusCode: number,
  exchange: Exchange | SessionExchange,
  { sessions, name }: RelayOptions,
): boolean {
  if (exchange.redact.length > 0) return false;
  const isOfSession = !('era' in exchange) || exchange.era === 'legacy';
  const canBeAsked = isOfSession
    ? sessions.showsUrls(name, exchange.caller, exchange.headers['mcp-session-id'])
    : offersUrls(exchange);
  if (canBeAsked && statusCode < 400) return false;
  return statusCode >= 400 || ('method' in exchange && exchange.method?.decidedOn === 'tool');
}

/** What cannot be looked at is no answer to a request; elsewhere its status counts, and its body goes no further. */
async function relayUnread(
  upstream: Dispatcher.ResponseData,
  exchange: Exchange | SessionExchange,
  { response }: McpAnswer,
  headers: Record<string, string>,
  type: string | undefined,
  options: RelayOptions,
): Promise<void> {
  const { statusCode, body } = upstream;
  const hasBody = type === 'application/json' && mayPassUnread(statusCode, exchange, options);
  if (!hasBody && statusCode < 400 && 'message' in exchange && exchange.message.kind === 'request')
    throw unreadableAnswer(`status ${statusCode}, content type ${type ?? 'none'}`);
  response.writeHead(statusCode, {
    'Cache-Control': 'no-store',
    ...(hasBody && { 'Content-Type': type }),
    ...headers,
  });
  // A pipe listens seven times to the end of what it fills, and each of us who watch an answer once: that is no leak.
  response.setMaxListeners(20);
  if (hasBody) return pipeline(body, response);
  await body.dump();
  response.end();
}

async function relayMessage(
  upstream: Dispatcher.ResponseData,
  exchange: Exchange | SessionExchange,
  answer: McpAnswer,
  headers: Record<string, string>,
): Promise<void> {
  const message = parseUpstreamJson(await readUpstreamText(upstream.body, maxMessageBytes));
  if (!isJsonObject(message)) throw unreadableAnswer('not a message');
  const filtered = await filterMessage(message, exchange);
  if (filtered === undefined) throw unreadableAnswer('not a response');
  answer.finishWith(filtered, headers);
}

async function relayEvents(
  upstream: Dispatcher.ResponseData,
  exchange: Exchange | SessionExchange,
  answer: McpAnswer,
  headers: Record<string, string>,
  { sessions, name }: RelayOptions,
): Promise<void> {
  answer.startStream(headers);
  for await (const event of sseEvents(upstream.body, maxMessageBytes)) {
    // A client that has gone takes nothing more; leaving the loop lets go of the upstream as well.
    if (answer.response.destroyed) return;
    if (event.id) event.id = sessions.wrap('event', name, exchange.caller, event.id);
    const passing = await filterEvent(event, exchange);
    if (passing !== undefined) await answer.writeEvent(formatEvent(passing));
  }
  answer.end();
}

/** Parses only what can be a response or an elicitation: an escaped key would still spell it with a backslash. */
async function filterEvent(
  event: SseEvent,
  exchange: Exchange | SessionExchange,
): Promise<SseEvent | undefined> {
  const { data } = event;
  const redacts = exchange.redact.length > 0;
  // An id would let the client fetch the rest of this stream by another request, where nothing is taken out.
  if (redacts) event = { otherLines: ['event: message'], id: undefined, data };
  // Comments, and the empty event that begins a stream which can be resumed.
  if (data === undefined || data === '') return redacts ? undefined : event;
  if (!redacts && !(data.includes('"result"') || data.includes('"elicitation') || data.includes('\\u')))
    return event;
  const message = parseUpstreamJson(data);
  if (!isJsonObject(message)) throw unreadableAnswer('not a message');
  const filtered = await filterMessage(message, exchange);
  if (filtered === undefined) return undefined;
  return filtered === message ? event : { ...event, data: JSON.stringify(filtered) };
}

/** @returns undefined for what must not pass; names in lists are decided on before anything is taken out of them */
async function filterMessage(message: Json, exchange: Exchange | SessionExchange): Promise<Json | undefined> {
  const allowed = await withAllowedOnly(message, exchange);
  return redactAnswer(attributeElicitations(allowed, exchange.server), exchange.redact);
}

async function withAllowedOnly(message: Json, exchange: Exchange | SessionExchange): Promise<Json> {
  const { result } = message;
  if (!isJsonObject(result)) return message;
  const filtered = await exchange.filterResult(result);
  // Whatever says how it may be cached was decided for one person: no cache on the way may give it to another.
  const isCacheable = filtered !== result || 'cacheScope' in result;
  if (isCacheable && 'era' in exchange && exchange.era === 'modern')
    return { ...message, result: markPrivate(filtered) };
  return filtered === result ? message : { ...message, result: filtered };
}
