/**
 * What a value is for whoever reads it as JSON: the same as if it were written out and parsed, at a part of the cost. Like
 * that it shares nothing with the value, and what JSON cannot say is left out of it.
 *
 * @throws TypeError for what JSON.stringify refuses
 */
export function copyJson(value: unknown): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      // Adding it to zero takes the sign from a negative zero, as JSON does.
      return Number.isFinite(value) ? 0 + value : null;
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value))
        return 'toJSON' in value ? throughText(value) : Array.from(value, copyElement);
      return isPlain(value) ? copyMembers(value) : throughText(value);
    case 'bigint':
      return throughText(value);
    default:
      return undefined;
  }
}

function copyElement(value: unknown): unknown {
  return copyJson(value) ?? null;
}

function copyMembers(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const member = copyJson(value[name]);
    if (member === undefined) continue;
    if (name === '__proto__') Object.defineProperty(copy, name, { value: member, ...ordinary });
    else copy[name] = member;
  }
  return copy;
}

const ordinary = { writable: true, enumerable: true, configurable: true };

function isPlain(value: object): value is Record<string, unknown> {
  return Object.getPrototypeOf(value) === Object.prototype && !('toJSON' in value);
}

function throughText(value: unknown): unknown {
  const text: string | undefined = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
}
