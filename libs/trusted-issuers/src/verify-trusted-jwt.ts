import { OAuthError } from '@behalf/oauth';
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';

const maxTokenBytes = 16 * 1024;
const clockToleranceSeconds = 15;

/** What a token has to be to count. */
export interface ExpectedJwt {
  /** The one issuer whose keys `keys` are; not checked when undefined, for tokens that name none (JWT-SVIDs). */
  issuer: string | undefined;
  keys: JWTVerifyGetKey;
  /** Asymmetric algorithms only. */
  algorithms: readonly string[];
  /** One of these is its only audience. */
  audiences: readonly string[];
  /** What the header may say it is; a JWT without `typ` is `undefined`. */
  types: readonly (string | undefined)[];
  /** The most that may lie between `iat` (or now, without one) and `exp`. */
  maxLifetimeSeconds: number;
  nowSeconds: number;
}

export interface VerifiedJwt {
  claims: JWTPayload & { sub: string; exp: number };
  /** The earliest moment at which it can have been made. */
  issuedAtMs: number;
}

/**
 * Verifies a JWT of another issuer: signature by one of its keys, `alg`, `typ`, `iss`, one audience, times, and that it
 * was not made to live for long. Does not check whether it was used before.
 *
 * @throws OAuthError `invalid_token`; `temporarily_unavailable` when the issuer's keys cannot be had
 * @see RFC 7523 §3, RFC 8725 §3
 */
export async function verifyTrustedJwt(token: string, expected: ExpectedJwt): Promise<VerifiedJwt> {
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new OAuthError('invalid_token', `the assertion ${fault}`);
  };
  unless(token.length <= maxTokenBytes, 'is too large');
  const { issuer, algorithms, audiences, nowSeconds } = expected;
  const { payload, protectedHeader } = await jwtVerify(token, expected.keys, {
    algorithms: algorithms.filter((alg) => !/^(?:HS|none$)/i.test(alg)),
    ...(issuer !== undefined && { issuer }),
    requiredClaims: ['sub', 'exp', 'aud'],
    clockTolerance: clockToleranceSeconds,
    currentDate: new Date(nowSeconds * 1000),
  }).catch((cause: unknown) => {
    if (cause instanceof OAuthError) throw cause;
    if (!(cause instanceof errors.JOSEError)) throw unavailable(cause);
    throw new OAuthError('invalid_token', 'the assertion is not valid', { cause });
  });
  unless(expected.types.includes(protectedHeader.typ?.toLowerCase()), 'is of another type');
  const [audience, ...others] = [payload.aud].flat();
  // A token for several could be replayed by any of them.
  unless(others.length === 0 && audiences.includes(audience ?? ''), 'is for another audience');
  unless(typeof payload.sub === 'string' && payload.sub !== '', 'has no subject');
  const { exp = 0, iat } = payload;
  unless(iat === undefined || iat <= nowSeconds + clockToleranceSeconds, 'is from the future');
  unless(exp - (iat ?? nowSeconds) <= expected.maxLifetimeSeconds + clockToleranceSeconds, 'lives too long');
  const madeAt = iat ?? exp - expected.maxLifetimeSeconds;
  return {
    claims: payload as VerifiedJwt['claims'],
    issuedAtMs: (madeAt - clockToleranceSeconds) * 1000,
  };
}

/** Who a token says it is from: which issuer's keys to try. Nothing of it is verified. */
export function peekIssuer(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === 'string' ? iss : undefined;
  } catch {
    return undefined;
  }
}

function unavailable(cause: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', 'the keys of the issuer cannot be had', {
    cause,
    retryAfterSeconds: 2,
  });
}
