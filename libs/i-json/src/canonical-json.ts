import { hash } from 'node:crypto';
import { isPlainObject } from './is-plain-json.js';

/** Printable ASCII without what JSON escapes: most texts are that, and saying so is quicker than asking for more. */
const plainText = /^[ !#-[\]-~]*$/;

/**
 * The one spelling of a JSON value: members sorted by UTF-16 code units, no spaces, numbers as ECMAScript writes them.
 * Members that are undefined are left out, as in JSON.
 *
 * @throws TypeError for what JSON cannot say: NaN, infinities, lone surrogates, functions, cycles deeper than the stack
 * @see RFC 8785
 */
export function canonicalJson(value: unknown): string {
  return isInOrder(value) ? JSON.stringify(value) : spell(value);
}

/** Whether JSON itself spells a value this way: members in their order, and nothing that it would leave out or change. */
function isInOrder(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed();
    case 'number':
      return Number.isFinite(value);
    case 'boolean':
      return true;
    case 'object':
      if (value === null) return true;
      return Array.isArray(value) ? isListInOrder(value) : isPlainObject(value) && isObjectInOrder(value);
    default:
      return false;
  }
}

/** Not `every`, which passes over what was never set. */
function isListInOrder(list: readonly unknown[]): boolean {
  for (const item of list) if (!isInOrder(item)) return false;
  return true;
}

function isObjectInOrder(object: Record<string, unknown>): boolean {
  let last: string | undefined;
  for (const name of Object.keys(object)) {
    if ((last !== undefined && name < last) || !name.isWellFormed() || !isInOrder(object[name])) return false;
    last = name;
  }
  return true;
}

function spell(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (plainText.test(value)) return `"${value}"`;
      if (!value.isWellFormed()) throw new TypeError('not a Unicode text');
      return JSON.stringify(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('not a JSON number');
      return JSON.stringify(value);
    case 'boolean':
      return String(value);
    case 'object':
      if (value === null) return 'null';
      return Array.isArray(value) ? canonicalArray(value) : canonicalObject(value);
    default:
      throw new TypeError('not a JSON value');
  }
}

function canonicalArray(value: readonly unknown[]): string {
  let elements = '';
  for (const element of value) elements += `${elements && ','}${spell(element)}`;
  return `[${elements}]`;
}

function canonicalObject(value: object): string {
  let members = '';
  // Without a comparison of ours `sort` goes by UTF-16 code units.
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (member !== undefined) members += `${members && ','}${spell(name)}:${spell(member)}`;
  }
  return `{${members}}`;
}

/** `sha256:<hex>` of a value's canonical form: equal for equal values, however they were written. */
export function digestOf(value: unknown): string {
  return `sha256:${hash('sha256', canonicalJson(value))}`;
}
