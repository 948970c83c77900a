import { errors } from 'oidc-provider';

/** The longest that an assertion may be good for: it is made for one request. */
export const maxAssertionSeconds = 300;
/** The library allows clocks to differ by as much. */
export const clockToleranceSeconds = 15;

/**
 * Checks what the library leaves open of a client assertion: that it is for this issuer and nobody else, and short-lived.
 *
 * Signature, `alg`, `iss`, `sub`, `exp` and the presence of a `jti` have been checked; that the `jti` is used once is
 * the storage's part (`storage-adapter.ts`), after this.
 *
 * @throws InvalidClientAuth
 * @see draft-ietf-oauth-rfc7523bis §4: the audience is the issuer and nothing else; the token endpoint is not accepted
 */
export function checkAssertion(
  claims: { aud?: unknown; exp?: unknown; iat?: unknown },
  { issuer, nowSeconds }: { issuer: string; nowSeconds: number },
): void {
  const unless = (sound: boolean, cause: string): void => {
    if (!sound) throw new errors.InvalidClientAuth({ cause });
  };
  const [only, ...more] = [claims.aud].flat();
  unless(only === issuer && more.length === 0, 'aud is not the issuer alone');
  const longest = maxAssertionSeconds + clockToleranceSeconds;
  const { exp, iat = nowSeconds } = claims as { exp: number; iat?: number };
  unless(exp <= nowSeconds + longest, 'exp is too far away');
  unless(iat <= nowSeconds + clockToleranceSeconds, 'iat is in the future');
  // An assertion written in advance lies about somewhere.
  unless(exp - iat <= longest && iat >= nowSeconds - longest, 'it is too old');
}
