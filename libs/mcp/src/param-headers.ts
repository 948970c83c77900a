import type { HeaderReader } from './check-header-agreement.js';
import { decodeHeaderValue } from './decode-header-value.js';
import { McpError, mcpErrorCodes } from './mcp-error.js';
import { type Json, isJsonObject } from './mcp-message.js';

/** An argument that a tool wants repeated in a header. */
export interface ParamHeader {
  path: string[];
  header: string;
}

/**
 * The arguments that a tool's schema mirrors into `Mcp-Param-*`, found through `properties` only; declarations
 * anywhere else are not valid and are left to the server that made them.
 *
 * @see MCP 2026-07-28, basic/transports/streamable-http, "Custom Headers from Tool Parameters"
 */
export function paramHeadersOf(inputSchema: unknown, path: string[] = []): ParamHeader[] {
  if (!isJsonObject(inputSchema) || path.length > 16) return [];
  const declared = inputSchema['x-mcp-header'];
  const own =
    typeof declared === 'string' && path.length > 0
      ? [{ path, header: `mcp-param-${declared.toLowerCase()}` }]
      : [];
  const { properties } = inputSchema;
  const nested = isJsonObject(properties)
    ? Object.entries(properties).flatMap(([key, schema]) => paramHeadersOf(schema, [...path, key]))
    : [];
  return [...own, ...nested];
}

/**
 * Checks that mirrored arguments and their headers agree; an argument that is absent or null has no header.
 *
 * @throws McpError -32020 (400)
 */
export function checkParamHeaders(
  declared: readonly ParamHeader[],
  args: Json | undefined,
  header: HeaderReader,
): void {
  for (const { path, header: name } of declared) {
    const value = valueAt(args, path);
    const sent = header(name);
    if (value === undefined || value === null) {
      if (sent !== undefined) throw mismatch(`${name} has no argument in the body`);
      continue;
    }
    if (typeof value === 'object') continue;
    if (sent === undefined) throw mismatch(`${name} is missing`);
    const decoded = decodeHeaderValue(sent);
    const agrees =
      typeof value === 'number' ? sameNumber(decoded, value) : decoded === `${value as string | boolean}`;
    if (!agrees) throw mismatch(`${name} does not equal its argument`);
  }
}

function sameNumber(decoded: string | undefined, value: number): boolean {
  return decoded !== undefined && /^-?\d+(\.\d+)?$/.test(decoded) && Number(decoded) === value;
}

function valueAt(root: unknown, path: string[]): unknown {
  return path.reduce<unknown>(
    (node, key) => (isJsonObject(node) && Object.hasOwn(node, key) ? node[key] : undefined),
    root,
  );
}

function mismatch(reason: string): McpError {
  return new McpError(mcpErrorCodes.headerMismatch, `Header mismatch: ${reason}`, { status: 400 });
}
