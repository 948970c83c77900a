import { McpError, mcpErrorCodes } from './mcp-error.js';
import { type Json, type McpRequest, isJsonObject, metaOf, withMeta } from './mcp-message.js';
import { cacheableMethods } from './mcp-methods.js';
import { metaKeys, modernMetaPrefix } from './meta-keys.js';
import { modernVersions } from './protocol-versions.js';

/** What a legacy server said of itself in answer to `initialize`. */
export interface InitializeResult {
  protocolVersion: string;
  capabilities: Json;
  serverInfo: Json;
  instructions?: string | undefined;
}

/**
 * A modern request as a legacy server expects it: without the envelope and without the parameters of multi-round-trip
 * requests, which it could only misread.
 */
export function toLegacyRequest(request: McpRequest): McpRequest {
  const meta = Object.fromEntries(
    Object.entries(metaOf(request)).filter(([key]) => !key.startsWith(modernMetaPrefix)),
  );
  const { inputResponses: _responses, requestState: _state, ...params } = request.params ?? {};
  return withMeta({ ...request, params: request.params && params }, meta);
}

/** A legacy result as a modern client expects it: complete, attributed, and not to be shared. */
export function toModernResult(method: string, result: Json, server: InitializeResult): Json {
  const meta = isJsonObject(result['_meta']) ? result['_meta'] : {};
  return {
    ...result,
    resultType: 'complete',
    ...(cacheableMethods.has(method) && { ttlMs: 0, cacheScope: 'private' }),
    _meta: { ...meta, [metaKeys.serverInfo]: server.serverInfo },
  };
}

/** The answer to `server/discover` for a legacy server. */
export function toDiscoverResult(server: InitializeResult): Json {
  return {
    resultType: 'complete',
    ttlMs: 0,
    cacheScope: 'private',
    supportedVersions: [...modernVersions],
    capabilities: sharedCapabilities(server.capabilities),
    ...(server.instructions !== undefined && { instructions: server.instructions }),
    _meta: { [metaKeys.serverInfo]: server.serverInfo },
  };
}

/**
 * What can be promised of a server whose one session many people share: nothing that needs a session of one's own
 * (log levels, subscriptions, change notifications, tasks).
 */
export function sharedCapabilities(capabilities: Json): Json {
  const kept = ['tools', 'prompts', 'resources', 'completions'].filter((name) =>
    isJsonObject(capabilities[name]),
  );
  return Object.fromEntries(kept.map((name) => [name, {}]));
}

/**
 * An error of a legacy server as a modern client may see it.
 *
 * @see MCP 2026-07-28, basic, "Error Codes": -32042 must not be emitted; resource not found is -32602
 */
export function toModernError(error: { code: number; message: string; data?: unknown }): McpError {
  const { code, message, data } = error;
  if (code === mcpErrorCodes.legacyResourceNotFound)
    return new McpError(mcpErrorCodes.invalidParams, message, { status: 200, data });
  if (code === mcpErrorCodes.legacyUrlElicitationRequired)
    return new McpError(
      mcpErrorCodes.internalError,
      'The server asks for a URL elicitation that this client did not offer',
      { status: 200 },
    );
  return new McpError(code, message, { status: code === mcpErrorCodes.methodNotFound ? 404 : 200, data });
}
