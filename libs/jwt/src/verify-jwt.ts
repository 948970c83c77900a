import { verify } from 'node:crypto';
import { type JWTPayload, type JWTVerifyGetKey, errors, jwtVerify } from 'jose';
import { checkClaims } from './check-claims.js';
import { toAsn1 } from './ecdsa-signature.js';
import { decodeHeader, decodePayload, isBase64url } from './jwt-parts.js';
import { type NativeKey, toNativeKey } from './native-key.js';

/** What a JWT has to be to count. The names are those of jose. */
export interface ExpectedClaims {
  issuer?: string;
  audience?: string;
  /** The media type in the header, with or without `application/`. */
  typ?: string;
  algorithms: readonly string[];
  requiredClaims?: readonly string[];
  /** Seconds. */
  clockTolerance?: number;
  currentDate: Date;
}

export interface VerifiedJwt {
  payload: JWTPayload;
  protectedHeader: Readonly<{ alg: string; kid?: string; typ?: string }>;
}

/**
 * Verifies a JWT as jose's `jwtVerify` does: signature, `alg` against the list, `typ`, `iss`, `aud`, times, claims that
 * have to be there. ES256 and RS256 are verified in this thread; whatever is unusual (other algorithms, other kinds of
 * keys, `crit`) is left to jose.
 *
 * Does not check what the claims say beyond that, nor whether the token was revoked or used before.
 *
 * @throws JOSEError of jose, the same as it would; and what `keys` throws
 * @see RFC 7519 §7.2, RFC 8725
 */
export async function verifyJwt(
  token: string,
  keys: JWTVerifyGetKey,
  expected: ExpectedClaims,
): Promise<VerifiedJwt> {
  const [encodedHeader = '', encodedPayload = '', encodedSignature = '', ...rest] = token.split('.');
  const header = decodeHeader(encodedHeader);
  const isUsual =
    rest.length === 0 &&
    header !== undefined &&
    (header['alg'] === 'ES256' || header['alg'] === 'RS256') &&
    header['crit'] === undefined &&
    isBase64url(encodedPayload) &&
    isBase64url(encodedSignature);
  if (!isUsual) return viaJose(token, keys, expected);
  const { alg } = header as { alg: NativeKey['alg'] };
  if (!expected.algorithms.includes(alg))
    throw new errors.JOSEAlgNotAllowed('"alg" (Algorithm) Header Parameter value not allowed');

  const jws = { protected: encodedHeader, payload: encodedPayload, signature: encodedSignature };
  const key = await keys(header as Parameters<JWTVerifyGetKey>[0], jws);
  const native = toNativeKey(key);
  // A key that is for another algorithm, or of a kind that is not handled here: jose refuses it, or knows what to do.
  if (native?.alg !== alg) return viaJose(token, async () => key, expected);
  const signed = Buffer.from(token.slice(0, encodedHeader.length + 1 + encodedPayload.length), 'latin1');
  const presented = Buffer.from(encodedSignature, 'base64url');
  const signature = alg === 'ES256' ? toAsn1(presented) : presented;
  if (!signature || !verify('sha256', signed, native.key, signature))
    throw new errors.JWSSignatureVerificationFailed();

  const payload = decodePayload(encodedPayload);
  if (payload === undefined) throw new errors.JWTInvalid('JWT Claims Set must be a top-level JSON object');
  checkClaims(payload, header, expected);
  return { payload, protectedHeader: header as unknown as VerifiedJwt['protectedHeader'] };
}

async function viaJose(
  token: string,
  keys: JWTVerifyGetKey,
  { algorithms, requiredClaims, ...expected }: ExpectedClaims,
): Promise<VerifiedJwt> {
  const { payload, protectedHeader } = await jwtVerify(token, keys, {
    ...expected,
    algorithms: [...algorithms],
    ...(requiredClaims && { requiredClaims: [...requiredClaims] }),
  });
  return { payload, protectedHeader };
}
