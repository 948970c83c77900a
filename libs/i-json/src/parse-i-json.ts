export interface IJsonLimits {
  maxBytes: number;
  maxDepth: number;
}

export class IJsonError extends Error {
  override readonly name = 'IJsonError';
  constructor(
    readonly problem:
      | 'too_large'
      | 'not_utf8'
      | 'not_json'
      | 'too_deep'
      | 'duplicate_key'
      | 'unsafe_number'
      | 'lone_surrogate',
  ) {
    super(`JSON refused: ${problem}`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses a body as I-JSON: UTF-8 without a byte order mark, no duplicate keys, no integer beyond 2^53, no lone
 * surrogate, bounded in size and depth. The attack is a message that the policy reads one way and the upstream another.
 *
 * @throws IJsonError
 * @see RFC 7493 §2
 */
export function parseIJson(body: Uint8Array, limits: IJsonLimits): unknown {
  if (body.byteLength > limits.maxBytes) throw new IJsonError('too_large');
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    throw new IJsonError('not_utf8');
  }
  const memberCount = countMembers(text, limits.maxDepth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new IJsonError('not_json');
  }
  // Bytes that are UTF-8 hold no surrogates, so a lone one was written as an escape.
  if (checkValue(value, text.includes('\\u')) !== memberCount) throw new IJsonError('duplicate_key');
  return value;
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
/** In ASCII the closing bracket of either kind is the opening one plus two. */
const [openBracket, openBrace] = [0x5b, 0x7b];

/**
 * How many members the objects of a JSON text have as it is written: one for each colon outside of strings. Parsed, of
 * those with the same name one is left. Says nothing about what is not JSON.
 *
 * @throws IJsonError `too_deep`, before anything recursive has seen the text
 */
function countMembers(text: string, maxDepth: number): number {
  let [members, depth] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === colon) members++;
    else if (code === openBrace || code === openBracket) {
      if (++depth > maxDepth) throw new IJsonError('too_deep');
    } else if (code === openBrace + 2 || code === openBracket + 2) depth--;
  }
  return members;
}

/** Where the quote is that ends the string, or the text when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) at++;
  }
  return text.length;
}

/**
 * Looks at everything in a parsed value, and counts the members of its objects.
 *
 * @throws IJsonError `unsafe_number`, `lone_surrogate`
 */
function checkValue(value: unknown, hasEscapes: boolean): number {
  if (typeof value === 'string') {
    if (hasEscapes && !value.isWellFormed()) throw new IJsonError('lone_surrogate');
  } else if (typeof value === 'number') {
    // Number.isInteger would let 1e21 pass as a float and 9007199254740993 pass as 9007199254740992.
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      throw new IJsonError('unsafe_number');
  } else if (Array.isArray(value)) {
    let members = 0;
    for (const item of value) members += checkValue(item, hasEscapes);
    return members;
  } else if (typeof value === 'object' && value !== null) {
    const names = Object.keys(value);
    let members = names.length;
    for (const name of names) {
      const member = (value as Record<string, unknown>)[name];
      if (hasEscapes) checkValue(name, hasEscapes);
      // Most are texts, and there is nothing to be looked for in those that are as they were written.
      if (hasEscapes || typeof member !== 'string') members += checkValue(member, hasEscapes);
    }
    return members;
  }
  return 0;
}
