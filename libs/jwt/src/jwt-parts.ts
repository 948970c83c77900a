import { LRUCache } from 'lru-cache';

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** An issuer's tokens have as many different headers as it has keys that sign. */
const maxHeaders = 100;
const maxKeptLength = 256;
const headers = new LRUCache<string, JsonObject>({ max: maxHeaders });
let lastPayload: { encoded: string; claims: JsonObject } | undefined;

export type JsonObject = Readonly<Record<string, unknown>>;

/** Undefined for whatever is not base64url of a JSON object in UTF-8. The same header is decoded once. */
export function decodeHeader(encoded: string): JsonObject | undefined {
  const known = headers.get(encoded);
  if (known) return known;
  const header = decodeObject(encoded);
  if (header && encoded.length <= maxKeptLength) headers.set(encoded, Object.freeze(header));
  return header;
}

/** The same for a payload. Whose it is says nothing yet. */
export function decodePayload(encoded: string): Record<string, unknown> | undefined {
  const last = lastPayload;
  lastPayload = undefined;
  return last?.encoded === encoded ? last.claims : decodeObject(encoded);
}

/**
 * A claim that is needed to know who may verify the token at all. Nothing is verified here. What was decoded for it is
 * kept for the verification, which is what comes next.
 */
export function peekClaim(token: string, claim: string): unknown {
  const [, encoded = '', signature] = token.split('.', 4);
  if (signature === undefined) return undefined;
  const claims = decodeObject(encoded);
  lastPayload = claims && { encoded, claims };
  return claims?.[claim];
}

/** Buffer.from would pass over what is none. */
export function isBase64url(encoded: string): boolean {
  return encoded.length % 4 !== 1 && /^[A-Za-z0-9_-]+$/.test(encoded);
}

function decodeObject(encoded: string): Record<string, unknown> | undefined {
  if (!isBase64url(encoded)) return undefined;
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(encoded, 'base64url')));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
