import { canonicalJson, isPlainJson, isPlainObject } from '@behalf/i-json';
import { type AuditRecord, auditRecordSchema } from './audit-record.js';

type Member = keyof AuditRecord;

const isText = (value: unknown): boolean => typeof value === 'string';
const checks: { [M in Member]-?: (value: unknown) => boolean } = {
  type: isText,
  outcome: (value) => value === 'allowed' || value === 'refused',
  occurredAtMs: (value) => Number.isSafeInteger(value),
  person: isText,
  client: isText,
  actors: (value) => Array.isArray(value) && value.every(isText),
  decisionId: isText,
  traceId: isText,
  details: (value) => isPlainObject(value) && isPlainJson(value),
};
const required: readonly Member[] = ['type', 'outcome', 'occurredAtMs'];

/**
 * The leaf that a record becomes in the log: what `auditRecordSchema` makes of it, in canonical JSON. The schema takes
 * several times as long as all the rest, so that records which plainly are some do without it; it has the word on the
 * others.
 *
 * @throws ZodError for what is no record; TypeError for what JSON cannot say
 */
export function toLeaf(record: AuditRecord): string {
  return canonicalJson(isPlainRecord(record) ? record : auditRecordSchema.parse(record));
}

/**
 * The record that a leaf is.
 *
 * @throws SyntaxError, ZodError for what is none
 */
export function fromLeaf(leaf: string): AuditRecord {
  const record = JSON.parse(leaf) as AuditRecord;
  return isPlainRecord(record) ? record : auditRecordSchema.parse(record);
}

/** False says nothing but that the schema has to be asked. */
function isPlainRecord(record: unknown): boolean {
  if (!isPlainObject(record) || !required.every((name) => record[name] !== undefined)) return false;
  for (const name of Object.keys(record)) {
    if (!Object.hasOwn(checks, name)) return false;
    // What is there without a value is left out of the leaf.
    if (record[name] !== undefined && !checks[name as Member](record[name])) return false;
  }
  return true;
}
