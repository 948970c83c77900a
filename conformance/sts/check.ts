import { decodeJwt, decodeProtectedHeader, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import type { StsConfig } from './config.ts';
import type { StsAnswer, StsClient } from './sts-client.ts';

export interface Check {
  id: string;
  spec: string;
  title: string;
  /** What the configuration has to hold for it; it is left out without. */
  needs?: (config: StsConfig) => unknown;
  run(sts: StsClient): Promise<void>;
}

export function ensure(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(problem);
}

export function same(actual: unknown, expected: unknown, what: string): void {
  ensure(
    JSON.stringify(actual) === JSON.stringify(expected),
    `${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`,
  );
}

/** The token of a successful answer. */
export function issued({ status, body }: StsAnswer): string {
  ensure(status === 200, `the answer is ${status} ${JSON.stringify(body['error'])}`);
  ensure(typeof body['access_token'] === 'string', 'there is no access_token');
  return body['access_token'];
}

export function claimsOf(token: string): JWTPayload & Record<string, unknown> {
  return decodeJwt(token);
}

export function headerOf(token: string): ProtectedHeaderParameters {
  return decodeProtectedHeader(token);
}

/** An answer that refuses with one of these codes, in the form of RFC 6749 §5.2. */
export function refused({ status, headers, body }: StsAnswer, ...codes: string[]): void {
  ensure(status >= 400 && status < 500, `the answer is ${status}, no refusal`);
  ensure(
    codes.includes(String(body['error'])),
    `the error is ${String(body['error'])}, not ${codes.join(' or ')}`,
  );
  ensure(/^application\/json\b/i.test(headers.get('content-type') ?? ''), 'the refusal is no JSON');
}
