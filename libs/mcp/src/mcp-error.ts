import type { RequestId } from './mcp-message.js';

/** JSON-RPC and MCP error codes, with the HTTP status they travel with when the transport itself refuses. */
export const mcpErrorCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internalError: -32603,
  /** Headers and body disagree, or a required header is missing. */
  headerMismatch: -32020,
  missingClientCapability: -32021,
  unsupportedProtocolVersion: -32022,
  /** Revisions up to 2025-11-25 only. */
  legacySessionNotFound: -32001,
  legacyResourceNotFound: -32002,
  legacyUrlElicitationRequired: -32042,
} as const;

/**
 * Codes of our own. The specification asks for numbers outside -32768..-32000; these read like the HTTP statuses that
 * mean the same.
 *
 * @see MCP 2026-07-28, basic, "Error Codes"
 */
export const behalfErrorCodes = { unauthorized: 401, denied: 403 } as const;

export interface McpErrorOptions {
  /** Status when nothing has been sent yet. 200 means: an answer of the protocol, not of the transport. */
  status: number;
  data?: unknown;
  retryAfterSeconds?: number | undefined;
  /** What really went wrong; for the log, never for the wire. */
  cause?: unknown;
}

/** An error that leaves as a JSON-RPC error response. The message is for people and holds nothing that was sent to us. */
export class McpError extends Error {
  override readonly name = 'McpError';
  readonly status: number;
  readonly data: unknown;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: number,
    message: string,
    options: McpErrorOptions,
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.data = options.data;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export interface ErrorResponse {
  jsonrpc: '2.0';
  id: RequestId | null;
  error: { code: number; message: string; data?: unknown };
}

export function errorResponse(error: McpError, id: RequestId | null): ErrorResponse {
  const { code, message, data } = error;
  return { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } };
}
