import type { PolicyJson } from '@behalf/cedar-evaluator';
import { type DetailedError, policyToJson, templateToJson } from '@cedar-policy/cedar-wasm/nodejs';

/** Strings, comments and names are matched to be passed over. */
const token = /"(?:[^"\\]|\\[^])*"|\/\/[^\n]*|[A-Za-z_]\w*|\d+/g;

export type PolicyJsonAnswer =
  { json: PolicyJson; annotations: Readonly<Record<string, string>> } | { errors: DetailedError[] };

/**
 * A policy's JSON form with its integers intact. cedar-wasm hands JSON over as JavaScript numbers, which rounds
 * integers beyond 2^53; those stand here as bigints.
 */
export function readPolicyJson(text: string): PolicyJsonAnswer {
  return readJson(text, policyToJson);
}

/** The same of a template: the heads of its JSON form name slots. */
export function readTemplateJson(text: string): PolicyJsonAnswer {
  return readJson(text, templateToJson);
}

function readJson(text: string, toJson: typeof policyToJson): PolicyJsonAnswer {
  const original = toJson(text);
  if (original.type === 'failure') return { errors: original.errors };
  const annotations = original.json.annotations ?? {};
  if (!hasInexactInteger(text)) return { json: original.json, annotations };

  // Each of them takes the detour of a text, which comes through as it is: a call of `ip`, told apart by its argument.
  let marker = 'exact integer ';
  while (text.includes(marker)) marker += '+';
  const marked = toJson(
    text.replace(token, (one) => (isInexactInteger(one) ? `ip("${marker}${one}")` : one)),
  );
  if (marked.type === 'failure') return { errors: marked.errors };
  return { json: restoreIntegers(marked.json, marker) as PolicyJson, annotations };
}

function hasInexactInteger(text: string): boolean {
  return text.match(token)?.some(isInexactInteger) ?? false;
}

function isInexactInteger(one: string): boolean {
  return /^\d/.test(one) && !Number.isSafeInteger(Number(one));
}

function restoreIntegers(json: unknown, marker: string): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (Array.isArray(json)) return json.map((item) => restoreIntegers(item, marker));
  const integer = markedInteger(json, marker);
  if (integer !== undefined) return { Value: integer };
  const negated = 'neg' in json ? markedInteger((json.neg as { arg: object }).arg, marker) : undefined;
  // As Cedar reads a minus before a literal; the least Long cannot be written otherwise.
  if (negated !== undefined) return { Value: -negated };
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [name, restoreIntegers(value, marker)]),
  );
}

function markedInteger(json: object, marker: string): bigint | undefined {
  const text = 'ip' in json ? (json.ip as { Value?: unknown }[])[0]?.Value : undefined;
  return typeof text === 'string' && text.startsWith(marker) ? BigInt(text.slice(marker.length)) : undefined;
}
