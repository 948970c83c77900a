import { Environment, type ParseResult } from '@marcbachmann/cel-js';
import { CoazError } from './coaz-error.js';

const limits = { maxExpressionChars: 4096, maxDepth: 32, maxExpressions: 512 };
/** Expressions are parsed once; a server that sends ever new ones only costs itself. */
const parsed = new Map<string, ParseResult>();
const maxParsed = 1000;

const cel = new Environment({
  enableOptionalTypes: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 },
})
  .registerVariable('params', 'map')
  .registerVariable('token', 'map');

export interface CoazVariables {
  params: Record<string, unknown>;
  token: Record<string, unknown>;
}

/** Stands for what an optional selection did not find: its member is left out. */
const absent = Symbol('absent');

/**
 * Fills in a template: a text that begins with `$` is a CEL expression over `params` and `token`, `$$` stands for a
 * literal `$`, and everything else is itself. An optional selection that finds nothing leaves its member out.
 *
 * Mappings come from servers, so expressions are bounded in size and number, may nest one comprehension in another at
 * most, and cannot use regular expressions (`matches`), whose cost they would choose.
 *
 * @throws CoazError -32602
 */
export function resolveTemplate(template: unknown, variables: CoazVariables): unknown {
  const budget = { expressions: limits.maxExpressions };
  const value = resolve(template, variables, budget, 0);
  if (value === absent) throw new CoazError('mapping', 'the mapping is empty');
  return value;
}

function resolve(
  template: unknown,
  variables: CoazVariables,
  budget: { expressions: number },
  depth: number,
): unknown {
  if (depth > limits.maxDepth) throw new CoazError('mapping', 'the mapping is nested too deeply');
  if (typeof template === 'string') return resolveText(template, variables, budget);
  if (Array.isArray(template)) {
    return template
      .map((item) => resolve(item, variables, budget, depth + 1))
      .filter((item) => item !== absent);
  }
  if (typeof template !== 'object' || template === null) return template;
  return members(Object.entries(template), (value) => resolve(value, variables, budget, depth + 1));
}

function resolveText(text: string, variables: CoazVariables, budget: { expressions: number }): unknown {
  if (text.startsWith('$$')) return text.slice(1);
  if (!text.startsWith('$')) return text;
  if (budget.expressions-- <= 0) throw new CoazError('mapping', 'the mapping has too many expressions');
  let value: unknown;
  try {
    value = parse(text.slice(1))({ ...variables });
  } catch (cause) {
    if (cause instanceof CoazError) throw cause;
    throw new CoazError('mapping', 'an expression failed', { cause });
  }
  return toJson(value, 0);
}

function parse(expression: string): ParseResult {
  const known = parsed.get(expression);
  if (known !== undefined) return known;
  if (expression.length > limits.maxExpressionChars)
    throw new CoazError('mapping', 'an expression is too long');
  const words = expression.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/g, "''");
  // A comment could stand between a name and its parenthesis.
  if (/\bmatches\b|\/\//.test(words)) throw new CoazError('mapping', 'an expression uses what it must not');
  const comprehensions = words.match(/\.\s*(all|exists|exists_one|filter|map)\s*\(/g)?.length ?? 0;
  if (comprehensions > 2) throw new CoazError('mapping', 'an expression has too many comprehensions');
  const program = cel.parse(expression);
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(expression, program);
  return program;
}

/** A CEL value as the JSON value it stands for. Timestamps, durations, bytes and types stand for none. */
function toJson(value: unknown, depth: number): unknown {
  if (depth > limits.maxDepth) throw new CoazError('mapping', 'a value is nested too deeply');
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'bigint') {
    if (!Number.isSafeInteger(Number(value))) throw new CoazError('mapping', 'a number is too large');
    return Number(value);
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new CoazError('mapping', 'a value is not a number');
    return value;
  }
  if (Array.isArray(value))
    return value.map((item) => toJson(item, depth + 1)).filter((item) => item !== absent);
  if (isOptional(value)) return value.hasValue() ? toJson(value.value(), depth) : absent;
  if (value instanceof Map)
    return members([...(value as Map<string, unknown>)], (item) => toJson(item, depth + 1));
  if (typeof value === 'object' && isPlain(value))
    return members(Object.entries(value), (item) => toJson(item, depth + 1));
  throw new CoazError('mapping', 'an expression makes no JSON value');
}

/** fromEntries defines properties instead of assigning them, so `__proto__` stays an ordinary name. */
function members(entries: [string, unknown][], read: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      const resolved = read(value);
      return resolved === absent ? [] : [[name, resolved]];
    }),
  );
}

function isOptional(value: unknown): value is { hasValue(): boolean; value(): unknown } {
  return (
    typeof value === 'object' &&
    value !== null &&
    value.constructor.name === 'Optional' &&
    'hasValue' in value
  );
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
