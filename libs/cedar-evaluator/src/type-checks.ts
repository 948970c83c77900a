import { CedarSet } from './cedar-set.js';
import { EntityUid } from './entity-uid.js';
import { EvaluationError } from './evaluation-error.js';
import { type Long, isLong } from './long.js';
import type { Value } from './value.js';

/** Each returns the value it was given, or throws `type_error`: Cedar converts nothing. */
export function asBoolean(value: Value): boolean {
  if (typeof value !== 'boolean') throw EvaluationError.typeError;
  return value;
}

export function asString(value: Value): string {
  if (typeof value !== 'string') throw EvaluationError.typeError;
  return value;
}

export function asLong(value: Value): Long {
  if (!isLong(value)) throw EvaluationError.typeError;
  return value;
}

export function asEntity(value: Value): EntityUid {
  if (!(value instanceof EntityUid)) throw EvaluationError.typeError;
  return value;
}

export function asSet(value: Value): CedarSet {
  if (!(value instanceof CedarSet)) throw EvaluationError.typeError;
  return value;
}

/** For the types of the extensions, e.g. `as(Decimal, value)`. */
export function as<T extends Value>(type: { readonly prototype: T }, value: Value): T {
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== type.prototype)
    throw EvaluationError.typeError;
  return value as T;
}
