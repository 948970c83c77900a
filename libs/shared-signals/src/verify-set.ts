import { OAuthError } from '@behalf/oauth';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { setType } from './security-event-token.js';
import { type Subject, subjectSchema } from './subject-identifier.js';

const maxSetBytes = 64 * 1024;
const clockToleranceSeconds = 15;

/** Why a transmitter's token is not taken, in the words of RFC 8935 §2.4 and its registry. */
export type SetError =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'
  | 'access_denied';

export class SetRefusal extends Error {
  override readonly name = 'SetRefusal';
  constructor(
    readonly err: SetError,
    readonly description: string,
    options?: ErrorOptions,
  ) {
    super(err, options);
  }
}

export interface ExpectedSet {
  issuer: string;
  keys: JWTVerifyGetKey;
  algorithms: readonly string[];
  audience: string;
  /** How long ago it may have been made. */
  maxAgeSeconds: number;
  nowSeconds: number;
}

/** A security event token that its transmitter has signed. */
export interface VerifiedSet {
  jti: string;
  type: string;
  /** Undefined where it is of a kind that we do not know. */
  subject: Subject | undefined;
  payload: Record<string, unknown>;
}

const claimsSchema = z.object({
  jti: z.string().min(1).max(500),
  iat: z.int(),
  events: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .refine((events) => Object.keys(events).length === 1, 'one event'),
  sub_id: z.unknown().optional(),
});

/**
 * Verifies a security event token: signature by a key of its transmitter, `typ`, `iss`, `aud`, its age, and that it is no
 * token of another kind: one with `exp` or `sub` could be an ID token with events in it. Does not check whether it came
 * before.
 *
 * @throws SetRefusal; OAuthError `temporarily_unavailable` when the transmitter's keys cannot be had
 * @see RFC 8417 §2, §5; SSF 1.0 §4.1
 */
export async function verifySet(token: string, expected: ExpectedSet): Promise<VerifiedSet> {
  const { issuer, audience, nowSeconds, maxAgeSeconds } = expected;
  const unless = (sound: boolean, err: SetError, what: string): void => {
    if (!sound) throw new SetRefusal(err, what);
  };
  unless(token.length <= maxSetBytes, 'invalid_request', 'the token is too large');
  const payload = await verifySignature(token, expected);
  unless(payload.iss === issuer, 'invalid_issuer', 'iss is of another transmitter');
  unless([payload.aud].flat().includes(audience), 'invalid_audience', 'aud names somebody else');
  unless(payload.exp === undefined && payload.sub === undefined, 'invalid_request', 'it has exp or sub');
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success)
    throw new SetRefusal('invalid_request', 'jti, iat and one event are needed', { cause: claims.error });
  const { jti, iat, events, sub_id: subjectId } = claims.data;
  unless(iat <= nowSeconds + clockToleranceSeconds, 'invalid_request', 'it is from the future');
  unless(iat >= nowSeconds - maxAgeSeconds, 'invalid_request', 'it is too old');
  const [type = '', event = {}] = Object.entries(events)[0] ?? [];
  // RISC had its subject inside of the event before there was `sub_id`.
  const subject = subjectSchema.safeParse(subjectId ?? event['subject']);
  return { jti, type, subject: subject.data, payload: event };
}

async function verifySignature(token: string, { keys, algorithms }: ExpectedSet): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: algorithms.filter((alg) => !/^(?:HS|none$)/i.test(alg)),
      typ: setType,
    });
    return payload;
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause;
    if (cause instanceof errors.JWSSignatureVerificationFailed || cause instanceof errors.JWKSNoMatchingKey)
      throw new SetRefusal('invalid_key', 'it is signed by no key of its transmitter', { cause });
    if (cause instanceof errors.JOSEError)
      throw new SetRefusal('invalid_request', 'it is no security event token', { cause });
    throw cause;
  }
}
