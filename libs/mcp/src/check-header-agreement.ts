import { decodeHeaderValue } from './decode-header-value.js';
import { McpError, mcpErrorCodes } from './mcp-error.js';
import type { McpNotification, McpRequest } from './mcp-message.js';
import { describeMethod } from './mcp-methods.js';

/** Reads a header: undefined when absent, all values joined by a comma when it came more than once. */
export type HeaderReader = (name: string) => string | undefined;

/**
 * Checks that `Mcp-Method` and `Mcp-Name` say what the body says. Routers in front of us may act on the headers, we
 * and the server behind us act on the body: a message that reads differently to both is an attack.
 *
 * For messages of the modern era only. Parameters mirrored into `Mcp-Param-*` are checked by `checkParamHeaders`.
 *
 * @throws McpError -32020 (400)
 * @see MCP 2026-07-28, basic/transports/streamable-http, "Standard Request Headers"
 */
export function checkHeaderAgreement(message: McpRequest | McpNotification, header: HeaderReader): void {
  const method = header('mcp-method');
  if (method === undefined) {
    if (message.kind === 'request') throw mismatch('the Mcp-Method header is missing');
  } else if (method.trim() !== message.method) {
    throw mismatch('Mcp-Method does not name the method of the body');
  }

  const nameParam = describeMethod(message.method, 'modern')?.nameParam;
  if (message.kind !== 'request' || nameParam === undefined) return;
  const expected = message.params?.[nameParam];
  const sent = header('mcp-name');
  if (sent === undefined) {
    if (typeof expected === 'string') throw mismatch('the Mcp-Name header is missing');
    return;
  }
  const name = decodeHeaderValue(sent);
  if (name === undefined) throw mismatch('Mcp-Name is not validly encoded');
  if (name !== expected) throw mismatch(`Mcp-Name does not equal params.${nameParam}`);
}

function mismatch(reason: string): McpError {
  return new McpError(mcpErrorCodes.headerMismatch, `Header mismatch: ${reason}`, { status: 400 });
}
