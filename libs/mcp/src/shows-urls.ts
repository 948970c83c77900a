import { type McpRequest, isJsonObject, metaOf } from './mcp-message.js';
import { metaKeys } from './meta-keys.js';

/**
 * True when the client says with this request that it can show URLs: each request of the stateless era says so, and
 * `initialize` of the one before.
 *
 * @see MCP 2026-07-28 and 2025-11-25, client/elicitation, "Capabilities"
 */
export function showsUrls(request: McpRequest): boolean {
  const capabilities =
    request.method === 'initialize'
      ? request.params?.['capabilities']
      : metaOf(request)[metaKeys.clientCapabilities];
  const elicitation: unknown = isJsonObject(capabilities) ? capabilities['elicitation'] : undefined;
  return isJsonObject(elicitation) && isJsonObject(elicitation['url']);
}
