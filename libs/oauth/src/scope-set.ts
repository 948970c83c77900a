import { OAuthError } from './oauth-error.js';

// RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** True for a `scope` as RFC 6749 §3.3 spells one: at least one value, and one space between any two. */
export function isScopeText(value: unknown): value is string {
  return typeof value === 'string' && value.split(' ').every((token) => scopeToken.test(token));
}

/**
 * A set of scope values, compared byte for byte: case and order of characters matter, order of values does not.
 *
 * @see RFC 6749 §3.3
 */
export class ScopeSet implements Iterable<string> {
  readonly #values: ReadonlySet<string>;

  constructor(values: Iterable<string> = []) {
    this.#values = new Set(values);
  }

  get size(): number {
    return this.#values.size;
  }

  has(value: string): boolean {
    return this.#values.has(value);
  }

  /** The values in both; authority only ever narrows through this. */
  intersect(other: Iterable<string>): ScopeSet {
    const allowed = new Set(other);
    return new ScopeSet([...this.#values].filter((value) => allowed.has(value)));
  }

  union(other: Iterable<string>): ScopeSet {
    return new ScopeSet([...this.#values, ...other]);
  }

  /** The values that `other` lacks. */
  without(other: Iterable<string>): ScopeSet {
    const removed = new Set(other);
    return new ScopeSet([...this.#values].filter((value) => !removed.has(value)));
  }

  isSubsetOf(other: ScopeSet): boolean {
    return [...this.#values].every((value) => other.has(value));
  }

  [Symbol.iterator](): Iterator<string> {
    return this.#values[Symbol.iterator]();
  }

  toString(): string {
    return [...this.#values].join(' ');
  }
}

/**
 * Parses a `scope` parameter or claim.
 *
 * @throws OAuthError `invalid_scope` when a value is outside the grammar, which no Unicode look-alike survives
 * @see RFC 6749 §3.3
 */
export function parseScope(text: string | undefined): ScopeSet {
  const values = (text ?? '').split(' ').filter((value) => value !== '');
  if (!values.every((value) => scopeToken.test(value))) {
    throw new OAuthError('invalid_scope', 'scope contains characters that are not allowed');
  }
  return new ScopeSet(values);
}
