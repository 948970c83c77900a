import { type HeaderReader, decodeHeaderValue } from '@behalf/mcp';
import { type McpCall, describeAnyMethod, isNotification } from './mcp-call.js';
import { UnmappableRequest } from './unmappable-request.js';

/** The first revision whose servers are bound to refuse headers that differ from the body. */
const firstRevisionWithHeaders = '2026-07-28';

/**
 * Reads a call from its routing headers alone, for proxies that do not show the body. That is only sound when the
 * server refuses a body that says something else, so the backend has to promise it and the request has to be of a
 * revision that has the rule. The arguments stay unknown, and policies that read them deny.
 *
 * @returns undefined for a notification, which nobody decides on
 * @throws UnmappableRequest
 * @see MCP 2026-07-28, basic/transports/streamable-http, "Standard Request Headers"
 */
export function readHeaderCall(
  header: HeaderReader,
  backend: { enforcesHeaderMatch: boolean },
): Pick<McpCall, 'method' | 'params' | 'argumentsUnknown'> | undefined {
  if (!backend.enforcesHeaderMatch)
    throw new UnmappableRequest(
      'refused',
      'there is no body, and the server is not known to check the headers',
    );
  const version = header('mcp-protocol-version')?.trim() ?? '';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(version) || version < firstRevisionWithHeaders)
    throw new UnmappableRequest('refused', 'the protocol revision has no headers to decide on');
  const method = header('mcp-method')?.trim();
  if (method === undefined || method === '') throw new UnmappableRequest('refused', 'Mcp-Method is missing');
  if (isNotification(method)) return undefined;
  const described = describeAnyMethod(method);
  if (described === undefined) throw new UnmappableRequest('refused', 'the method is not known');
  const params: Record<string, unknown> = {};
  if (described.nameParam !== undefined) {
    const sent = header('mcp-name');
    if (sent === undefined) throw new UnmappableRequest('refused', 'Mcp-Name is missing');
    const name = decodeHeaderValue(sent);
    if (name === undefined) throw new UnmappableRequest('malformed', 'Mcp-Name is not validly encoded');
    params[described.nameParam] = name;
  }
  return { method, params, argumentsUnknown: true };
}
