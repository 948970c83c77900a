import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { OAuthError } from '@behalf/oauth';
import { nowSeconds, type ClaimOptions, type Clock, type OneTimeStore } from '@behalf/ports';
import { decodeJwt, type JWTPayload } from 'jose';
import { errors, type Provider } from 'oidc-provider';
import { clockToleranceSeconds, maxAssertionSeconds } from './check-assertion.js';
import { currentContext } from './current-context.js';
import { throwToLibrary } from './throw-to-library.js';

const purpose = 'jti';
/**
 * The library forgets a DPoP proof 300 s after it came, and accepts one whose `iat` is as far in the future: without
 * this much more, a proof from a clock that is ahead could be used twice.
 */
const aheadSeconds = 300;

interface Ports {
  oneTime: OneTimeStore;
  clock: Clock;
}

/** What may be used once. `expiresAt` is when nobody takes it any more, with what is allowed for clocks. */
interface OneUse {
  issuer: string;
  jti: string;
  expiresAt: number;
  iat?: number | undefined;
}

/** Uses that were claimed before the library came to ask, each for the one request that it was claimed in. */
const claimedBefore = new WeakMap<IncomingMessage, OneUse & { claim: Promise<boolean> }>();

/**
 * Claims the `jti` of an assertion that was verified without the library. Should the library serve the same request
 * after all, it hears once what came of this: nothing that a request says makes that so, since it is the request itself,
 * as an object, that it is kept for.
 *
 * @returns false when it was used before
 * @throws OAuthError `temporarily_unavailable`
 */
export function claimAssertion(request: IncomingMessage, use: OneUse, ports: Ports): Promise<boolean> {
  const claim = claimUse(use, ports);
  claimedBefore.set(request, { ...use, claim });
  return claim;
}

/**
 * Remembers the `jti` of client assertions, attestation proofs and DPoP proofs in the one-time store. The library asks
 * first and writes later, so that two requests with one assertion could both pass; here asking is writing.
 *
 * @see RFC 7523 §3 rule 7, RFC 9449 §11.1
 */
export function detectReplays(provider: Provider, ports: Ports): void {
  Object.assign(provider.ReplayDetection, {
    async unique(issuer: string, jti: string, expiresAt: number): Promise<boolean> {
      const { claims, isDpopProof } = findPresented(jti);
      const use = { issuer, jti, expiresAt, iat: claims?.iat };
      const lacksNonce = isDpopProof && claims?.['nonce'] === undefined;
      const isFirst =
        // A clock that is ahead tells nothing about when a proof was made; a nonce does.
        !(lacksNonce && madeAt(use) > nowSeconds(ports.clock) + clockToleranceSeconds) &&
        (await ((!isDpopProof && takeClaimed(use)) || claimUse(use, ports)).catch((error: unknown) =>
          throwToLibrary(currentContext(), error),
        ));
      if (isFirst || !isDpopProof) return isFirst;
      // The header with a nonce has been set by the library.
      throw lacksNonce
        ? new errors.UseDpopNonce('a nonce is needed to tell that the DPoP proof is new')
        : new errors.InvalidDpopProof('the DPoP proof was used before');
    },
  });
}

/** What was claimed for the request that the library is serving: once, and only for the same use. */
function takeClaimed({ issuer, jti, expiresAt }: OneUse): Promise<boolean> | undefined {
  const { req } = currentContext();
  const before = claimedBefore.get(req);
  claimedBefore.delete(req);
  const isSame = before?.issuer === issuer && before.jti === jti && before.expiresAt === expiresAt;
  return isSame ? before.claim : undefined;
}

/** @throws OAuthError `temporarily_unavailable` */
function claimUse(use: OneUse, { oneTime, clock }: Ports): Promise<boolean> {
  return claimJti(oneTime, use.issuer, use.jti, {
    ttlSeconds: Math.max(use.expiresAt - nowSeconds(clock), 0) + aheadSeconds,
    issuedAtMs: (madeAt(use) - clockToleranceSeconds) * 1000,
  }).catch((cause: unknown) => {
    throw new OAuthError('temporarily_unavailable', 'it cannot be known whether it was used', {
      cause,
      retryAfterSeconds: 2,
    });
  });
}

function madeAt({ iat, expiresAt }: OneUse): number {
  return iat ?? expiresAt - maxAssertionSeconds;
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
