import { InvalidEvaluation } from './invalid-evaluation.js';

/** One string, many, or none. */
export function toStrings(value: unknown, path: string): string[] {
  const values: unknown[] =
    value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
  if (!values.every((one) => typeof one === 'string' && one.isWellFormed())) {
    throw new InvalidEvaluation(path, 'must be text or a list of texts');
  }
  return values as string[];
}
