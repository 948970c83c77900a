import { OAuthError } from '@behalf/oauth';
import { nowSeconds } from '@behalf/ports';
import { maxProofAgeSeconds, readDpopProof } from '@behalf/resource-server';
import type { ExchangeParameters, RelayedProof } from '@behalf/token-exchange';
import type { ProviderDependencies } from './dependencies.js';
import { clockToleranceSeconds } from './check-assertion.js';
import { claimJti } from './replay-detection.js';

/** The DPoP proof that the subject token was presented with at the resource which exchanges it now. */
export const relayedProofParameter = 'subject_token_proof';

/**
 * Reads the proof of the subject token's key that a resource hands on. Undefined without one, and for one that is
 * malformed, stale, made with another token or handed on before: the exchange then has no proof of that key.
 *
 * Each is taken once. The attack: a resource that was broken into keeps the tokens and proofs that came by, and goes on
 * with them when the callers have gone. Nonces are not looked at: they are the resource's.
 *
 * Does not check whose token it is, nor that it is this client's to hand on.
 *
 * @throws OAuthError `temporarily_unavailable` when it cannot be known whether it was handed on before
 * @see RFC 9449 §4.3, §11.1
 */
export async function readRelayedProof(
  { [relayedProofParameter]: proof, subject_token: subjectToken }: ExchangeParameters,
  { oneTime, clock }: Pick<ProviderDependencies, 'oneTime' | 'clock'>,
): Promise<RelayedProof | undefined> {
  if (typeof proof !== 'string' || typeof subjectToken !== 'string') return undefined;
  const claims = await readDpopProof(proof, subjectToken).catch(() => undefined);
  if (!claims) return undefined;
  const { jkt, jti, htu: url, iat } = claims;
  const age = nowSeconds(clock) - iat;
  if (age > maxProofAgeSeconds || age < -clockToleranceSeconds) return undefined;
  const isFirst = await claimJti(oneTime, `handed on ${jkt}`, jti, {
    ttlSeconds: maxProofAgeSeconds + clockToleranceSeconds,
    issuedAtMs: (iat - clockToleranceSeconds) * 1000,
  }).catch((cause: unknown) => {
    throw new OAuthError('temporarily_unavailable', 'it cannot be known whether the proof was used', {
      cause,
      retryAfterSeconds: 2,
    });
  });
  return isFirst ? { jkt, url } : undefined;
}
