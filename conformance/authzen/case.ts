import { isDeepStrictEqual } from 'node:util';
import type { PdpAnswer, PdpClient } from './pdp-client.ts';

export type Level =
  | 'Basic Core'
  | 'Basic Properties'
  | 'Batch Core'
  | 'Batch Properties'
  | 'Search Core'
  | 'Search Properties'
  | 'Discovery';

export interface Case {
  /** The section of the scenario, or `+` for what it does not ask and AuthZEN 1.0 does. */
  id: string;
  level: Level;
  title: string;
  run(pdp: PdpClient): Promise<void>;
}

/** Ends a case with what was wrong. */
export function check(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(problem);
}

export function checkSame(actual: unknown, expected: unknown, what: string): void {
  check(
    isDeepStrictEqual(actual, expected),
    `${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`,
  );
}

/** A successful answer: 200, JSON, an object. */
export function objectOf({ status, contentType, body }: PdpAnswer): Record<string, unknown> {
  checkSame(status, 200, 'the status');
  check(/^application\/json\b/i.test(contentType), `the content type is ${contentType}`);
  check(typeof body === 'object' && body !== null && !Array.isArray(body), 'the body is not a JSON object');
  return body as Record<string, unknown>;
}

export function decisionOf(value: unknown): boolean {
  check(typeof value === 'object' && value !== null, 'a decision is not an object');
  const { decision, context } = value as Record<string, unknown>;
  check(typeof decision === 'boolean', 'decision is not a boolean');
  check(
    context === undefined || (typeof context === 'object' && context !== null && !Array.isArray(context)),
    'context is not an object',
  );
  return decision;
}

export const alice = { type: 'user', id: 'alice' };
export const bob = { type: 'user', id: 'bob' };
export const admin = { ...bob, properties: { role: 'admin' } };
export const record1 = { type: 'record', id: 'record-1' };
export const record2 = { type: 'record', id: 'record-2' };
export const active1 = { ...record1, properties: { status: 'active' } };
export const archived2 = { ...record2, properties: { status: 'archived' } };
export const read = { name: 'read' };
export const write = { name: 'write' };
export const someContext = { time: '2025-06-27T18:03-07:00', ip: '192.168.1.1' };
