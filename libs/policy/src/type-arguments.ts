import { canonicalJson } from '@behalf/i-json';
import type { CedarValue } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { resolveSchema } from './resolve-schema.js';
import { toCedarRecord, toCedarValue } from './to-cedar-value.js';

/** `byValue`: a whole number is a Long, another a decimal. `decimal`: every `number` of the schema is a decimal. */
export type NumberForm = 'byValue' | 'decimal';
/** A schema that refers to itself ends here, and so does `anyOf` in `anyOf` in `anyOf` that takes exponential time. */
const maxSteps = 100_000;

interface Walk {
  root: unknown;
  numbers: NumberForm;
  steps: number;
}

/**
 * The arguments of a call in Cedar's terms, typed by the tool's `inputSchema`: `integer` is a Long, `number` as
 * `numbers` says, and what the schema does not describe as `toCedarValue` has it.
 *
 * Checks `type`, `enum`, `const`, `required`, `properties`, `additionalProperties`, `items`, `anyOf`, `oneOf`, `allOf`,
 * boolean schemas and `$ref` within the schema. Does NOT check lengths, ranges, `pattern` (a hostile one takes forever),
 * `format` or conditionals: the server does that, here it is only about types that policies rely on.
 *
 * @throws InvalidEvaluation when an argument is not of its type: no policy should be asked about what cannot be called
 */
export function typeArguments(
  args: Record<string, unknown>,
  inputSchema: unknown,
  numbers: NumberForm = 'byValue',
): Record<string, CedarValue> {
  const walk: Walk = { root: inputSchema, numbers, steps: 0 };
  const typed = typeValue(args, inputSchema, 'context.arguments', walk);
  return typed === undefined ? {} : (typed as Record<string, CedarValue>);
}

function typeValue(value: unknown, schema: unknown, path: string, walk: Walk): CedarValue | undefined {
  if (++walk.steps > maxSteps) throw new InvalidEvaluation(path, 'the schema is too large to check');
  const node = resolveSchema(schema, walk.root, path);
  if (node === true) return toCedarValue(value, path);
  if (node === false) throw new InvalidEvaluation(path, 'is not allowed by the schema');
  checkConstants(value, node, path);
  for (const part of listOf(node['allOf'])) typeValue(value, part, path, walk);
  const alternatives = [...listOf(node['anyOf']), ...listOf(node['oneOf'])];
  const chosen = alternatives.length > 0 ? firstMatch(value, alternatives, path, walk) : undefined;
  const types = typeof node['type'] === 'string' ? [node['type']] : listOf(node['type']);
  if (types.length > 0 && !types.some((type) => hasType(value, type)))
    throw new InvalidEvaluation(path, 'is not of the type that the schema says');
  if (Array.isArray(value) && node['items'] !== undefined)
    return value
      .map((item) => typeValue(item, node['items'], `${path}[]`, walk))
      .filter((item) => item !== undefined);
  if (isObject(value) && describesMembers(node)) return typeMembers(value, node, path, walk);
  if (typeof value === 'number' && walk.numbers === 'decimal' && types.includes('number'))
    return toDecimal(value, path);
  return chosen ?? toCedarValue(value, path);
}

function typeMembers(
  value: Record<string, unknown>,
  node: Record<string, unknown>,
  path: string,
  walk: Walk,
): Record<string, CedarValue> {
  const properties = isObject(node['properties']) ? node['properties'] : {};
  for (const name of listOf(node['required']))
    if (typeof name === 'string' && !Object.hasOwn(value, name))
      throw new InvalidEvaluation(path, 'lacks a required member');
  // Patterns are not run, so a name that may match one is let through untyped.
  const others = node['patternProperties'] === undefined ? (node['additionalProperties'] ?? true) : true;
  const typed = Object.entries(value).map(([name, member]): [string, CedarValue | undefined] => [
    name,
    typeValue(member, Object.hasOwn(properties, name) ? properties[name] : others, `${path}.${name}`, walk),
  ]);
  // Refuses reserved and malformed names; the values come from the schema.
  toCedarRecord(Object.fromEntries(typed.map(([name]) => [name, true])), path);
  return Object.fromEntries(typed.filter((entry): entry is [string, CedarValue] => entry[1] !== undefined));
}

function firstMatch(
  value: unknown,
  alternatives: unknown[],
  path: string,
  walk: Walk,
): CedarValue | undefined {
  for (const alternative of alternatives) {
    try {
      return typeValue(value, alternative, path, walk);
    } catch (error) {
      if (!(error instanceof InvalidEvaluation) || walk.steps > maxSteps) throw error;
    }
  }
  throw new InvalidEvaluation(path, 'matches no alternative of the schema');
}

function checkConstants(value: unknown, node: Record<string, unknown>, path: string): void {
  const allowed = node['const'] === undefined ? node['enum'] : [node['const']];
  if (!Array.isArray(allowed)) return;
  const given = canonicalOrNothing(value);
  if (given === undefined || !allowed.some((one) => canonicalOrNothing(one) === given))
    throw new InvalidEvaluation(path, 'is none of the values that the schema names');
}

function canonicalOrNothing(value: unknown): string | undefined {
  try {
    return canonicalJson(value);
  } catch {
    return undefined;
  }
}

function hasType(value: unknown, type: unknown): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  if (type === 'integer') return Number.isSafeInteger(value);
  return (type === 'string' || type === 'number' || type === 'boolean') && typeof value === type;
}

/** Whole numbers get the `.0` that Cedar's decimal needs; the range is checked by `toCedarValue` with a fraction. */
function toDecimal(value: number, path: string): CedarValue | undefined {
  if (!Number.isInteger(value)) return toCedarValue(value, path);
  if (Math.abs(value) > 922_337_203_685_477) throw new InvalidEvaluation(path, 'number does not fit decimal');
  return { __extn: { fn: 'decimal', arg: `${value === 0 ? 0 : value}.0` } };
}

function describesMembers(node: Record<string, unknown>): boolean {
  return ['properties', 'required', 'additionalProperties'].some((name) => node[name] !== undefined);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
