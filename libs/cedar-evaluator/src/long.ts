import { EvaluationError } from './evaluation-error.js';

/**
 * Cedar's Long, a signed 64-bit integer: a number as long as numbers are exact, a bigint beyond. There is one form for
 * each value, so `===` compares, and `<` compares the two forms with each other.
 */
export type Long = number | bigint;

const minLong = -(2n ** 63n);
const maxLong = 2n ** 63n - 1n;

export function isLong(value: unknown): value is Long {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** The one form of an integer; undefined when it does not fit into 64 bits. */
export function toLong(integer: bigint): Long | undefined {
  if (integer < minLong || integer > maxLong) return undefined;
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}

/** @throws EvaluationError overflow */
export function addLongs(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    // A sum or product that was rounded is never a safe integer, so one that is safe is exact.
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return checked(BigInt(left) + BigInt(right));
}

/** @throws EvaluationError overflow */
export function subtractLongs(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return checked(BigInt(left) - BigInt(right));
}

/** @throws EvaluationError overflow */
export function multiplyLongs(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const product = left * right;
    if (Number.isSafeInteger(product)) return product;
  }
  return checked(BigInt(left) * BigInt(right));
}

/** @throws EvaluationError overflow for the least Long, whose negation does not exist */
export function negateLong(value: Long): Long {
  return typeof value === 'number' ? -value : checked(-value);
}

/** Rounds towards zero. */
export function divideLong(value: Long, divisor: number): Long {
  // The remainder first: dividing a large number can round up to the next integer.
  if (typeof value === 'number') return (value - (value % divisor)) / divisor;
  return checked(value / BigInt(divisor));
}

/** The remainder that is never negative. */
export function moduloLong(value: Long, divisor: number): number {
  const rest = typeof value === 'number' ? value % divisor : Number(value % BigInt(divisor));
  return rest < 0 ? rest + divisor : rest;
}

function checked(integer: bigint): Long {
  const long = toLong(integer);
  if (long === undefined) throw EvaluationError.overflow;
  return long;
}
