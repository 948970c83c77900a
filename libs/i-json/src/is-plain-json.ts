/**
 * Whether a value is one that JSON makes, and can be walked without surprises: no class, nothing inherited, no member
 * `__proto__`, no number that is none. Says nothing about depth, exactness or lone surrogates.
 */
export function isPlainJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (Array.isArray(value)) return value.every(isPlainJson);
      return (
        isPlainObject(value) &&
        Object.keys(value).every((name) => name !== '__proto__' && isPlainJson(value[name]))
      );
    default:
      return false;
  }
}

/** One that JSON makes: no class, and nothing that it inherits. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
