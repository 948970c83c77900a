const sentinel = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes the value of `Mcp-Name` or `Mcp-Param-*`: what a header cannot carry stands in it as `=?base64?…?=`.
 *
 * @returns undefined for a sentinel whose payload is not canonical Base64 of UTF-8
 * @see MCP 2026-07-28, basic/transports/streamable-http, "Value Encoding"
 */
export function decodeHeaderValue(value: string): string | undefined {
  const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, '');
  if (!trimmed.startsWith('=?base64?') || !trimmed.endsWith('?=')) return trimmed;
  const payload = sentinel.exec(trimmed)?.[1];
  if (payload === undefined) return undefined;
  const bytes = Buffer.from(payload, 'base64');
  // Two spellings of one value would be two header values for one name.
  if (bytes.toString('base64') !== payload) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The inverse: plain where a header can carry it, the sentinel where not. */
export function encodeHeaderValue(value: string): string {
  const plain = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && !value.startsWith('=?base64?');
  return plain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
