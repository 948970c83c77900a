import { createHash } from 'node:crypto';
import { OAuthError } from '@behalf/oauth';
import { nowSeconds, type ClaimOptions, type Clock, type OneTimeStore } from '@behalf/ports';
import { decodeJwt, type JWTPayload } from 'jose';
import { errors, type Provider } from 'oidc-provider';
import { maxAssertionSeconds } from './check-assertion.js';
import { currentContext } from './current-context.js';
import { throwToLibrary } from './throw-to-library.js';

const purpose = 'jti';
/** What is allowed for clocks that differ. */
export const clockToleranceSeconds = 15;
/**
 * The library forgets a DPoP proof 300 s after it came, and accepts one whose `iat` is as far in the future: without
 * this much more, a proof from a clock that is ahead could be used twice.
 */
const aheadSeconds = 300;

/**
 * Remembers the `jti` of client assertions, attestation proofs and DPoP proofs in the one-time store. The library asks
 * first and writes later, so that two requests with one assertion could both pass; here asking is writing.
 *
 * @see RFC 7523 §3 rule 7, RFC 9449 §11.1
 */
export function detectReplays(
  provider: Provider,
  { oneTime, clock }: { oneTime: OneTimeStore; clock: Clock },
): void {
  Object.assign(provider.ReplayDetection, {
    async unique(issuer: string, jti: string, expiresAt: number): Promise<boolean> {
      const now = nowSeconds(clock);
      const { claims, isDpopProof } = findPresented(jti);
      const lacksNonce = isDpopProof && claims?.['nonce'] === undefined;
      const madeAt = claims?.iat ?? expiresAt - maxAssertionSeconds;
      const isFirst =
        // A clock that is ahead tells nothing about when a proof was made; a nonce does.
        !(lacksNonce && madeAt > now + clockToleranceSeconds) &&
        (await claimJti(oneTime, issuer, jti, {
          ttlSeconds: Math.max(expiresAt - now, 0) + aheadSeconds,
          issuedAtMs: (madeAt - clockToleranceSeconds) * 1000,
        }).catch((cause: unknown) => {
          const undecided = new OAuthError(
            'temporarily_unavailable',
            'it cannot be known whether it was used',
            {
              cause,
              retryAfterSeconds: 2,
            },
          );
          return throwToLibrary(currentContext(), undecided);
        }));
      if (isFirst || !isDpopProof) return isFirst;
      // The header with a nonce has been set by the library.
      throw lacksNonce
        ? new errors.UseDpopNonce('a nonce is needed to tell that the DPoP proof is new')
        : new errors.InvalidDpopProof('the DPoP proof was used before');
    },
  });
}

/** True for the first who presents a `jti` of this issuer, false for everybody after, until the time is over. */
export function claimJti(
  oneTime: OneTimeStore,
  issuer: string,
  jti: string,
  options: ClaimOptions,
): Promise<boolean> {
  // A stranger chooses both: hashed they are short, and no pair reads like another.
  const key = createHash('sha256')
    .update(JSON.stringify([issuer, jti]))
    .digest('base64url');
  return oneTime.claim(purpose, key, options);
}

/** What of the request has this `jti`. Its signature was verified before anybody asked. */
function findPresented(jti: string): { claims?: JWTPayload; isDpopProof: boolean } {
  const { req, oidc } = currentContext();
  const presented: [unknown, boolean][] = [
    [req.headers['dpop'], true],
    [oidc.params?.['client_assertion'], false],
    [req.headers['oauth-client-attestation-pop'], false],
  ];
  for (const [jwt, isDpopProof] of presented) {
    const claims = typeof jwt === 'string' ? tryDecode(jwt) : undefined;
    if (claims?.jti === jti) return { claims, isDpopProof };
  }
  return { isDpopProof: false };
}

function tryDecode(jwt: string): JWTPayload | undefined {
  try {
    return decodeJwt(jwt);
  } catch {
    return undefined;
  }
}
