import type { HeaderReader, McpMessage } from '@behalf/mcp';
import { readHeaderCall } from './header-call.js';
import { type McpCall, describeAnyMethod, isNotification } from './mcp-call.js';
import { type MessageLimits, readMcpMessage } from './message-call.js';
import { UnmappableRequest } from './unmappable-request.js';

/** A proxied HTTP request, however the proxy described it. */
export interface ProxiedRequest {
  method: string;
  header: HeaderReader;
  /** Undefined when the proxy does not show bodies; empty when there was none. */
  body: Uint8Array | undefined;
  /** What the proxy itself read out of the message (`filter_metadata`). */
  metadata?: { method?: unknown; params?: unknown } | undefined;
}

/** What the request asks for. `pass` is a message that nobody decides on: a notification, or an answer to the server. */
export type ProxiedCall =
  | {
      kind: 'call';
      id: string | number | null;
      call: Pick<McpCall, 'method' | 'params' | 'argumentsUnknown'>;
    }
  | { kind: 'pass' };

const pass: ProxiedCall = { kind: 'pass' };

/**
 * Finds the MCP call in a proxied request. The sources, the most trusted first: what the proxy parsed, the body, the
 * headers. Where there are two, they have to agree. The proxy's own reading holds the parameters it was told to
 * extract and no others, so without a body the arguments count as unknown.
 *
 * `GET` and `DELETE` are the session of the older revisions: its stream and its end. They are decided as what opened
 * it, `initialize`.
 *
 * @throws UnmappableRequest
 */
export function readProxiedCall(
  request: ProxiedRequest,
  backend: { enforcesHeaderMatch: boolean },
  limits: MessageLimits,
): ProxiedCall {
  const { header, body, metadata } = request;
  if (header('x-envoy-auth-partial-body')?.trim().toLowerCase() === 'true')
    throw new UnmappableRequest('refused', 'the body was cut off');
  const method = request.method.toUpperCase();
  if (method === 'GET' || method === 'DELETE')
    return { kind: 'call', id: null, call: { method: 'initialize', params: {} } };
  if (method !== 'POST') throw new UnmappableRequest('refused', 'MCP is not spoken with this HTTP method');

  const message =
    body !== undefined && body.byteLength > 0 ? readMcpMessage(body, limits, header) : undefined;
  const parsed = metadata?.method === undefined ? undefined : readMetadata(metadata);
  if (message !== undefined) {
    if (parsed !== undefined) checkAgreement(parsed, message);
    return ofMessage(message);
  }
  if (parsed !== undefined) {
    if (isNotification(parsed.method)) return pass;
    return { kind: 'call', id: null, call: { ...parsed, argumentsUnknown: true } };
  }
  const call = readHeaderCall(header, backend);
  return call === undefined ? pass : { kind: 'call', id: null, call };
}

function ofMessage(message: McpMessage): ProxiedCall {
  if (message.kind === 'response') return pass;
  const { method, params } = message;
  if (message.kind === 'request') return { kind: 'call', id: message.id, call: { method, params } };
  // A server may carry out a call that forgot its id.
  if (!isNotification(method))
    throw new UnmappableRequest('refused', 'the method is not one of notifications');
  return pass;
}

function readMetadata({ method, params }: NonNullable<ProxiedRequest['metadata']>) {
  if (typeof method !== 'string') throw new UnmappableRequest('malformed', 'the metadata names no method');
  if (params !== undefined && params !== null && (typeof params !== 'object' || Array.isArray(params)))
    throw new UnmappableRequest('malformed', 'the metadata has no params');
  return { method, params: (params ?? undefined) as Record<string, unknown> | undefined };
}

function checkAgreement(
  parsed: { method: string; params: Record<string, unknown> | undefined },
  message: McpMessage,
) {
  const nameParam = describeAnyMethod(parsed.method)?.nameParam;
  const differs =
    message.kind === 'response' ||
    message.method !== parsed.method ||
    (nameParam !== undefined &&
      parsed.params?.[nameParam] !== undefined &&
      parsed.params[nameParam] !== message.params?.[nameParam]);
  if (differs) throw new UnmappableRequest('refused', 'the metadata and the body differ');
}
