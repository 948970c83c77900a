import { McpError, mcpErrorCodes } from './mcp-error.js';

export type RequestId = string | number;
export type Json = Record<string, unknown>;

export interface McpRequest {
  kind: 'request';
  id: RequestId;
  method: string;
  params: Json | undefined;
}
export interface McpNotification {
  kind: 'notification';
  method: string;
  params: Json | undefined;
}
/** An answer to a request of the server; clients of the legacy era post them. */
export interface McpResponse {
  kind: 'response';
  id: RequestId | null;
  body: { result: Json } | { error: { code: number; message: string; data?: unknown } };
}
export type McpMessage = McpRequest | McpNotification | McpResponse;

/** A plain object, not an array. */
export function isJsonObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads one JSON-RPC message. Batches are refused: no current revision has them, and one decision belongs to one call.
 *
 * Does not check parameters beyond being an object, nor whether the method exists.
 *
 * @throws McpError -32600 (400)
 * @see JSON-RPC 2.0 §4-5; MCP 2025-06-18 changelog, "Remove support for JSON-RPC batching"
 */
export function parseMessage(body: unknown): McpMessage {
  if (Array.isArray(body)) throw invalid('batches are not supported');
  if (!isJsonObject(body) || body['jsonrpc'] !== '2.0') throw invalid('this is not a JSON-RPC 2.0 message');
  const { id, method, params, result, error } = body;
  if (typeof method === 'string') {
    if (params !== undefined && !isJsonObject(params)) throw invalid('params must be an object');
    if (result !== undefined || error !== undefined) throw invalid('a message is a request or a response');
    if (!('id' in body)) return { kind: 'notification', method, params };
    if (!isRequestId(id)) throw invalid('id must be a string or an integer');
    return { kind: 'request', id, method, params };
  }
  if (method !== undefined) throw invalid('method must be a string');
  if (isJsonObject(result) && error === undefined && isRequestId(id))
    return { kind: 'response', id, body: { result } };
  if (isJsonObject(error) && result === undefined && (isRequestId(id) || id === null || id === undefined)) {
    const { code, message, data } = error;
    if (typeof code !== 'number' || typeof message !== 'string') throw invalid('the error is malformed');
    return {
      kind: 'response',
      id: id ?? null,
      body: { error: { code, message, ...(data !== undefined && { data }) } },
    };
  }
  throw invalid('this is neither a request, a notification nor a response');
}

/** The wire form of a message. */
export function serializeMessage(message: McpMessage): Json {
  if (message.kind === 'response') return { jsonrpc: '2.0', id: message.id, ...message.body };
  const { method, params } = message;
  return {
    jsonrpc: '2.0',
    ...(message.kind === 'request' && { id: message.id }),
    method,
    ...(params !== undefined && { params }),
  };
}

/** `params._meta`, empty when there is none. */
export function metaOf(message: { params: Json | undefined }): Json {
  const meta = message.params?.['_meta'];
  return isJsonObject(meta) ? meta : {};
}

/** The same message with another `params._meta`; an empty one is left out. */
export function withMeta<M extends McpRequest | McpNotification>(message: M, meta: Json): M {
  const { _meta: _replaced, ...rest } = message.params ?? {};
  const params = Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
  const absent = message.params === undefined && Object.keys(params).length === 0;
  return { ...message, params: absent ? undefined : params };
}

/** The id of what may be a request, to answer a message that could not be read as a whole. */
export function echoableId(body: unknown): RequestId | null {
  return isJsonObject(body) && typeof body['method'] === 'string' && isRequestId(body['id'])
    ? body['id']
    : null;
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' || Number.isSafeInteger(id);
}

function invalid(message: string): McpError {
  return new McpError(mcpErrorCodes.invalidRequest, `Invalid request: ${message}`, { status: 400 });
}
