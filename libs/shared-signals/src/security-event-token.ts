import type { Subject } from './subject-identifier.js';

/** `typ` of a security event token: nobody takes one for a token of another kind. @see RFC 8417 §2.3 */
export const setType = 'secevent+jwt';

/** One thing that has happened, to one subject. */
export interface Signal {
  type: string;
  subject: Subject;
  payload: Record<string, unknown>;
  txn?: string | undefined;
}

/**
 * The claims of a security event token. It has no `exp` and no `sub`, so that it is good for nothing but to be heard.
 *
 * @see RFC 8417 §2, SSF 1.0 §4.1
 */
export function buildSetClaims(
  { type, subject, payload, txn }: Signal,
  {
    issuer,
    audience,
    jti,
    nowSeconds,
  }: { issuer: string; audience: string; jti: string; nowSeconds: number },
): Record<string, unknown> {
  return {
    iss: issuer,
    aud: audience,
    jti,
    iat: nowSeconds,
    sub_id: subject,
    ...(txn !== undefined && { txn }),
    events: { [type]: payload },
  };
}
