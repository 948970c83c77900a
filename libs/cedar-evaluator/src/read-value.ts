import { CedarSet } from './cedar-set.js';
import { EntityUid } from './entity-uid.js';
import { EvaluationError } from './evaluation-error.js';
import { extensionFunctions } from './extension-functions.js';
import { isLong, toLong } from './long.js';
import { UnreadableInput } from './unreadable-input.js';
import type { CedarRecord, Value } from './value.js';

/** Requests of one moment all hold the same time, and reading it takes longer than most else of a request. */
let lastRead: { fn: unknown; arg: unknown; value: Value } | undefined;

/** This walk and every use of the value are recursive. */
const maxDepth = 100;

/**
 * Reads Cedar's JSON form of a value. Beyond JSON it takes bigints, for a Long that a number cannot hold. A number
 * outside the range in which numbers are exact is refused: it may have been another one.
 *
 * @throws UnreadableInput
 * @see https://docs.cedarpolicy.com/auth/entities-syntax.html
 */
export function readValue(json: unknown, depth = 0): Value {
  if (depth > maxDepth) throw new UnreadableInput('a value is nested too deeply');
  switch (typeof json) {
    case 'boolean':
      return json;
    case 'string':
      return checkedText(json);
    case 'number':
      if (!Number.isSafeInteger(json)) throw new UnreadableInput('a number is not an exact integer');
      return json;
    case 'bigint':
      return readBigint(json);
    case 'object':
      if (json === null) throw new UnreadableInput('null is no Cedar value');
      if (Array.isArray(json)) return new CedarSet(json.map((item) => readValue(item, depth + 1)));
      return readObject(json as Record<string, unknown>, depth);
    default:
      throw new UnreadableInput('not a JSON value');
  }
}

/** Reads an object as a record. @throws UnreadableInput */
export function readRecord(json: unknown, depth = 0): CedarRecord {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UnreadableInput('a record is not an object');
  const record = new Map<string, Value>();
  // Not for…in: what an object inherits is not said in it.
  for (const name of Object.keys(json)) {
    const value = (json as Record<string, unknown>)[name];
    // As JSON does.
    if (value !== undefined) record.set(checkedText(name), readValue(value, depth + 1));
  }
  return record;
}

function readObject(json: Record<string, unknown>, depth: number): Value {
  const isEscape = '__entity' in json || '__extn' in json || '__expr' in json;
  if (!isEscape) return readRecord(json, depth);
  // An escape with anything beside it could be read two ways.
  if (Object.keys(json).length === 1) {
    if (json['__entity'] !== undefined) return EntityUid.read(json['__entity']);
    if (json['__extn'] !== undefined) return readExtension(json['__extn'], depth);
  }
  throw new UnreadableInput('an escape is not one of Cedar');
}

function readExtension(json: unknown, depth: number): Value {
  const { fn, arg, args } = (json ?? {}) as { fn?: unknown; arg?: unknown; args?: unknown };
  if (args === undefined && lastRead !== undefined && fn === lastRead.fn && arg === lastRead.arg)
    return lastRead.value;
  const known = typeof fn === 'string' ? extensionFunctions.get(fn) : undefined;
  const given = Array.isArray(args) ? args : [arg];
  if (known === undefined || given.length !== known.arity)
    throw new UnreadableInput('an extension value calls no function of Cedar');
  const values = given.map((one) => readValue(one, depth + 1));
  try {
    const value = known.call(values[0]!, values[1]!);
    if (args === undefined) lastRead = { fn, arg, value };
    return value;
  } catch (cause) {
    if (cause instanceof EvaluationError)
      throw new UnreadableInput('an extension value is malformed', { cause });
    throw cause;
  }
}

function readBigint(json: bigint): Value {
  const long = toLong(json);
  if (!isLong(long)) throw new UnreadableInput('an integer does not fit into 64 bits');
  return long;
}

function checkedText(text: string): string {
  if (!text.isWellFormed()) throw new UnreadableInput('a text contains a lone surrogate');
  return text;
}
