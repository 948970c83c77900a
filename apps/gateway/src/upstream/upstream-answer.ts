import { McpError, mcpErrorCodes } from '@behalf/mcp';

/** The largest message that an upstream may send. */
export const maxMessageBytes = 32 * 1024 * 1024;

/** An upstream that answers, but not as MCP asks. */
export function unreadableAnswer(cause: unknown): McpError {
  return new McpError(
    mcpErrorCodes.internalError,
    'The server behind the gateway did not answer as MCP asks',
    { status: 502, cause },
  );
}

/**
 * Parses what an upstream sent.
 *
 * @throws McpError 502, without a cause: what JSON.parse says quotes what it was given, and that is not for a log
 */
export function parseUpstreamJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw unreadableAnswer('not JSON');
  }
}

/** @throws McpError 502 once it is too large: an upstream must not fill our memory */
export async function readUpstreamText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes) throw unreadableAnswer('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
