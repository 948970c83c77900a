import type { CedarValue } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';

/** Deeper values are refused: both this walk and the engines' parsers are recursive. */
const maxDepth = 32;
/** Cedar's decimal: at most four digits after the point, and an unscaled value that fits a signed 64-bit integer. */
const decimalForm = /^-?\d+\.\d{1,4}$/;
const maxUnscaled = 2n ** 63n - 1n;
/** Names that Cedar's JSON form reads as instructions. The attack: an argument that turns itself into an entity. */
const escapes = new Set(['__entity', '__extn', '__expr']);
const nothing: ReadonlySet<string> = new Set();

/**
 * Turns a JSON value into the Cedar value it means. Whole numbers become Long, others decimal; objects become
 * records, arrays sets. `null` says "not there", so it is left out of records and sets, and undefined is returned for
 * a lone one. What Cedar cannot say exactly is refused rather than rounded: a rounded value could be decided on
 * differently from the one the upstream receives.
 *
 * Does not check the value against a schema: `1.0` and `1` are the same JSON number and both become a Long.
 *
 * @throws InvalidEvaluation
 */
export function toCedarValue(value: unknown, path: string, depth = 0): CedarValue | undefined {
  if (depth > maxDepth) throw new InvalidEvaluation(path, 'nested too deeply');
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'string') return checkedText(value, path);
  if (typeof value === 'number') return numberValue(value, path);
  if (Array.isArray(value)) {
    const items: CedarValue[] = [];
    for (const item of value) {
      const converted = toCedarValue(item, `${path}[]`, depth + 1);
      if (converted !== undefined) items.push(converted);
    }
    return items;
  }
  if (typeof value !== 'object') throw new InvalidEvaluation(path, 'not a JSON value');
  return toCedarRecord(value, path, nothing, depth);
}

/** As `toCedarValue`, for what has to be an object. Members named in `except` are left out. */
export function toCedarRecord(
  value: object,
  path: string,
  except: ReadonlySet<string> = nothing,
  depth = 0,
): Record<string, CedarValue> {
  const record: Record<string, CedarValue> = {};
  for (const name of Object.keys(value)) {
    if (except.has(name)) continue;
    if (escapes.has(name)) throw new InvalidEvaluation(path, `uses the reserved name ${name}`);
    checkedText(name, path);
    const converted = toCedarValue((value as Record<string, unknown>)[name], `${path}.${name}`, depth + 1);
    if (converted === undefined) continue;
    // Assigned, `__proto__` would not be a name but the prototype.
    if (name === '__proto__')
      Object.defineProperty(record, name, {
        value: converted,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else record[name] = converted;
  }
  return record;
}

function checkedText(text: string, path: string): string {
  if (!text.isWellFormed()) throw new InvalidEvaluation(path, 'contains a lone surrogate');
  return text;
}

function numberValue(value: number, path: string): CedarValue {
  if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  const text = String(value);
  if (!decimalForm.test(text)) throw new InvalidEvaluation(path, 'number fits neither Long nor decimal');
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  if (BigInt(whole + fraction.padEnd(4, '0')) > maxUnscaled) {
    throw new InvalidEvaluation(path, 'number fits neither Long nor decimal');
  }
  return { __extn: { fn: 'decimal', arg: text } };
}
