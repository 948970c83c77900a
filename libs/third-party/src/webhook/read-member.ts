/** A member of a JSON document by its path, as `sender.id`; undefined where it leads nowhere. */
export function readMember(document: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (node, name) =>
        typeof node === 'object' && node !== null && Object.hasOwn(node, name)
          ? (node as Record<string, unknown>)[name]
          : undefined,
      document,
    );
}

/** An id as providers write them: text, or a number that is one. */
export function asAccountId(value: unknown): string | undefined {
  if (typeof value === 'string' && value !== '' && value.length <= 500) return value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}
