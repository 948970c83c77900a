import { type JWTPayload, errors } from 'jose';
import type { ExpectedClaims } from './verify-jwt.js';

/**
 * Checks the claims of a JWT whose signature has been verified, and its `typ`.
 *
 * @throws JWTClaimValidationFailed, JWTExpired
 * @see RFC 7519 §4.1, §5.1
 */
export function checkClaims(
  claims: JWTPayload,
  header: { typ?: unknown },
  { issuer, audience, typ, requiredClaims = [], clockTolerance = 0, currentDate }: ExpectedClaims,
): void {
  const fail = (claim: string, reason: string): never => {
    throw new errors.JWTClaimValidationFailed(`"${claim}" claim: ${reason}`, claims, claim, reason);
  };
  const time = (claim: 'iat' | 'nbf' | 'exp'): number | undefined => {
    const value = claims[claim];
    return value === undefined || typeof value === 'number' ? value : fail(claim, 'invalid');
  };

  if (typ !== undefined && (typeof header.typ !== 'string' || mediaType(header.typ) !== mediaType(typ)))
    fail('typ', 'check_failed');
  const required = [
    ...requiredClaims,
    ...(issuer === undefined ? [] : ['iss']),
    ...(audience === undefined ? [] : ['aud']),
  ];
  for (const claim of required) if (!Object.hasOwn(claims, claim)) fail(claim, 'missing');
  if (issuer !== undefined && claims.iss !== issuer) fail('iss', 'check_failed');
  if (audience !== undefined && ![claims.aud].flat().includes(audience)) fail('aud', 'check_failed');

  const now = Math.floor(currentDate.getTime() / 1000);
  time('iat');
  const nbf = time('nbf');
  if (nbf !== undefined && nbf > now + clockTolerance) fail('nbf', 'check_failed');
  const exp = time('exp');
  if (exp !== undefined && exp <= now - clockTolerance)
    throw new errors.JWTExpired('"exp" claim timestamp check failed', claims, 'exp', 'check_failed');
}

/** RFC 7515 §4.1.9: `application/` may be left out when no other slash is there. */
function mediaType(typ: string): string {
  const name = typ.toLowerCase();
  return name.includes('/') ? name : `application/${name}`;
}
