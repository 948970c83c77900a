import { EntityUid } from './entity-uid.js';
import type { CedarRecord, ExtensionValue, Value } from './value.js';

/** Up to here comparing each member is quicker than an index. */
const maxUnindexed = 8;

/**
 * Cedar's set: no order, and a member given twice is one. Large sets are indexed when first asked, so that comparing
 * two of them takes time in proportion to their sizes and not to the product: a caller chooses how large they are.
 */
export class CedarSet {
  #index: Set<string> | undefined;

  constructor(readonly items: readonly Value[]) {}

  has(value: Value): boolean {
    if (this.items.length <= maxUnindexed) return this.items.some((item) => valuesEqual(item, value));
    this.#index ??= new Set(this.items.map((item) => canonicalText(item)));
    return this.#index.has(canonicalText(value));
  }

  hasAll(other: CedarSet): boolean {
    return other.items.every((item) => this.has(item));
  }

  hasAny(other: CedarSet): boolean {
    return other.items.some((item) => this.has(item));
  }
}

/** Cedar's `==`: never errs, false across types, structural for sets and records. */
export function valuesEqual(left: Value, right: Value): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object') return false;
  if (left instanceof EntityUid) return right instanceof EntityUid && left.key === right.key;
  if (left instanceof CedarSet) return right instanceof CedarSet && left.hasAll(right) && right.hasAll(left);
  if (left instanceof Map) return right instanceof Map && recordsEqual(left, right);
  return left.constructor === right.constructor && (left as Equatable).equals(right);
}

interface Equatable {
  equals(other: unknown): boolean;
}

function recordsEqual(left: CedarRecord, right: CedarRecord): boolean {
  if (left.size !== right.size) return false;
  for (const [name, value] of left) {
    const other = right.get(name);
    if (other === undefined || !valuesEqual(value, other)) return false;
  }
  return true;
}

/** Equal texts for equal values, and only for those. */
function canonicalText(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  if (value instanceof EntityUid) return `entity ${JSON.stringify(value.key)}`;
  if (value instanceof CedarSet) {
    const members = new Set(value.items.map((item) => canonicalText(item)));
    return `[${[...members].sort().join()}]`;
  }
  if (value instanceof Map) {
    const entries = [...(value as CedarRecord)].map(
      ([name, item]) => `${JSON.stringify(name)}:${canonicalText(item)}`,
    );
    return `{${entries.sort().join()}}`;
  }
  return (value as ExtensionValue).canonical;
}
