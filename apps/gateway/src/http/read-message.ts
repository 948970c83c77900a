import { IJsonError, parseIJson } from '@behalf/i-json';
import { McpError, type McpMessage, echoableId, mcpErrorCodes, parseMessage } from '@behalf/mcp';
import { OAuthError } from '@behalf/oauth';
import { readBody } from '@behalf/service-kit';
import type { IncomingMessage } from 'node:http';

export interface MessageLimits {
  maxBodyBytes: number;
  maxDepth: number;
}

/**
 * Reads one message from a POST.
 *
 * @param onId told the id as soon as it is known, so that even a refusal can be matched to its request
 * @throws McpError 415, 413, or 400: -32700 for what is not JSON, -32600 for JSON that is not acceptable
 */
export async function readMessage(
  request: IncomingMessage,
  limits: MessageLimits,
  onId: (id: string | number) => void,
): Promise<McpMessage> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json')
    throw new McpError(mcpErrorCodes.invalidRequest, 'The body must be application/json', { status: 415 });
  const body = await readBytes(request, limits);
  const parsed = parse(body, limits);
  const id = echoableId(parsed);
  if (id !== null) onId(id);
  return parseMessage(parsed);
}

async function readBytes(request: IncomingMessage, { maxBodyBytes }: MessageLimits): Promise<Uint8Array> {
  try {
    return await readBody(request, maxBodyBytes);
  } catch (cause) {
    if (cause instanceof OAuthError)
      throw new McpError(mcpErrorCodes.invalidRequest, 'The body is too large', {
        status: cause.status,
        cause,
      });
    throw new McpError(mcpErrorCodes.parseError, 'The body ended early', { status: 400, cause });
  }
}

function parse(body: Uint8Array, { maxBodyBytes, maxDepth }: MessageLimits): unknown {
  try {
    return parseIJson(body, { maxBytes: maxBodyBytes, maxDepth });
  } catch (cause) {
    if (!(cause instanceof IJsonError)) throw cause;
    const notJson = cause.problem === 'not_json' || cause.problem === 'not_utf8';
    const code = notJson ? mcpErrorCodes.parseError : mcpErrorCodes.invalidRequest;
    throw new McpError(code, `The body is not acceptable JSON: ${cause.problem}`, { status: 400, cause });
  }
}
