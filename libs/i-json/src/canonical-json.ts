import { createHash } from 'node:crypto';

/**
 * The one spelling of a JSON value: members sorted by UTF-16 code units, no spaces, numbers as ECMAScript writes them.
 * Members that are undefined are left out, as in JSON.
 *
 * @throws TypeError for what JSON cannot say: NaN, infinities, lone surrogates, functions, cycles deeper than the stack
 * @see RFC 8785
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError('not a JSON number');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('not a Unicode text');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError('not a JSON value');
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => `${canonicalJson(name)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** `sha256:<hex>` of a value's canonical form: equal for equal values, however they were written. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
