import { parseIJson } from '@behalf/i-json';
import {
  type HeaderReader,
  McpError,
  type McpMessage,
  checkHeaderAgreement,
  parseMessage,
} from '@behalf/mcp';
import { UnmappableRequest } from './unmappable-request.js';

export interface MessageLimits {
  maxBytes: number;
  maxDepth: number;
}

/**
 * Reads the JSON-RPC message of a body, strictly. With the routing headers of 2026-07-28 beside it, they have to agree:
 * something between us and the server may act on them.
 *
 * @throws UnmappableRequest `malformed`, or `refused` when headers and body differ
 */
export function readMcpMessage(body: Uint8Array, limits: MessageLimits, header?: HeaderReader): McpMessage {
  let message: McpMessage;
  try {
    message = parseMessage(parseIJson(body, limits));
  } catch (cause) {
    throw new UnmappableRequest('malformed', 'the body is not an acceptable MCP message', { cause });
  }
  if (header?.('mcp-method') !== undefined && message.kind !== 'response') {
    try {
      checkHeaderAgreement(message, header);
    } catch (cause) {
      if (!(cause instanceof McpError)) throw cause;
      throw new UnmappableRequest('refused', 'headers and body differ', { cause });
    }
  }
  return message;
}

/** JSON bytes that hold an object, as `params` and `result` travel without their message. */
export function readJsonObject(bytes: Uint8Array, limits: MessageLimits): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseIJson(bytes, limits);
  } catch (cause) {
    throw new UnmappableRequest('malformed', 'the bytes are not acceptable JSON', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UnmappableRequest('malformed', 'the bytes are not a JSON object');
  return value as Record<string, unknown>;
}
