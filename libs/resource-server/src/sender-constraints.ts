import { createHash } from 'node:crypto';
import { OAuthError } from '@behalf/oauth';
import { type Clock, nowSeconds, type OneTimeStore } from '@behalf/ports';
import type { AccessTokenClaims } from './access-token-claims.js';
import type { DpopNonces } from './dpop-nonces.js';
import type { PresentedToken } from './presented-token.js';
import { maxProofAgeSeconds, useNonce, type VerifiedProof, verifyDpopProof } from './verify-dpop-proof.js';

/** How an access token came. */
export interface Presentation extends PresentedToken {
  /** The values of the `DPoP` header, one for each time it was sent. */
  proofs: readonly string[];
  method: string;
  /** The URL that the client called, as the client knows it. */
  url: string;
  /** `x5t#S256` of the certificate that the client proved to hold. */
  certificateThumbprint?: string | undefined;
}

export interface SenderConstraintsOptions {
  clock: Clock;
  oneTime: OneTimeStore;
  nonces: DpopNonces;
  /** Whether a proof without a nonce is sent back for one. */
  requireNonce: boolean;
}

/** Proofs without a nonce are taken from clocks that differ either way. */
const replayMarkerSeconds = 2 * maxProofAgeSeconds;

/**
 * Checks that a sender-constrained token is presented by who it is bound to. The attack: a stolen token, replayed as a
 * bearer token, or with a proof that was stolen with it.
 *
 * @see RFC 9449 §7, RFC 8705 §3, RFC 7800 §3.1
 */
export class SenderConstraints {
  constructor(private readonly options: SenderConstraintsOptions) {}

  /** What `DPoP-Nonce` says. */
  get nonce(): string {
    return this.options.nonces.current();
  }

  /**
   * Checks the presentation of a token whose claims have been verified. A DPoP proof is used up by this.
   *
   * @throws OAuthError `invalid_token`, `invalid_dpop_proof`, `use_dpop_nonce`, all of status 401;
   *   `temporarily_unavailable` when it cannot be known whether a proof was used before
   */
  async check(claims: Pick<AccessTokenClaims, 'cnf'>, presentation: Presentation): Promise<void> {
    const { scheme, certificateThumbprint } = presentation;
    const unless = (sound: boolean, fault: string): void => {
      if (!sound) throw new OAuthError('invalid_token', fault);
    };
    const { jkt, 'x5t#S256': thumbprint } = claims.cnf ?? {};
    unless(
      (jkt !== undefined) === (scheme === 'DPoP'),
      scheme === 'DPoP'
        ? 'the access token is not bound to a DPoP key'
        : 'the access token is bound to a DPoP key, and is no bearer token',
    );
    unless(
      thumbprint === undefined || thumbprint === certificateThumbprint,
      'the access token is bound to another client certificate',
    );
    if (jkt === undefined) return;
    const proof = await this.#verifyProof(presentation);
    unless(proof.jkt === jkt, 'the access token is bound to another DPoP key');
    await this.#useUp(proof);
  }

  async #verifyProof({ proofs, method, url, token }: Presentation): Promise<VerifiedProof> {
    const { clock, nonces, requireNonce } = this.options;
    const [proof, ...others] = proofs;
    // RFC 9449 §4.3 rule 1: another hop may have looked at another one.
    if (proof === undefined || others.length > 0 || proof.includes(','))
      throw refused('one DPoP proof is needed');
    try {
      return await verifyDpopProof(proof, {
        method,
        url,
        accessToken: token,
        nowSeconds: nowSeconds(clock),
        nonces,
        requireNonce,
      });
    } catch (error) {
      if (error instanceof OAuthError && error.code === 'invalid_dpop_proof')
        throw refused(error.description, error.cause);
      throw error;
    }
  }

  async #useUp({ jkt, jti, madeAtMs, hasNonce }: VerifiedProof): Promise<void> {
    // Both are chosen by a stranger: hashed they are short, and no pair reads like another.
    const key = createHash('sha256')
      .update(JSON.stringify([jkt, jti]))
      .digest('base64url');
    const isFirst = await this.options.oneTime
      .claim('dpop-proof', key, { ttlSeconds: replayMarkerSeconds, issuedAtMs: madeAtMs })
      .catch((cause: unknown) => {
        throw new OAuthError('temporarily_unavailable', 'DPoP proofs cannot be checked now', {
          cause,
          retryAfterSeconds: 2,
        });
      });
    if (isFirst) return;
    // It was used, or that has been forgotten: a proof with a nonce of now can be told to be new.
    throw hasNonce
      ? refused('the DPoP proof was used before')
      : useNonce('the DPoP proof is not known to be new');
  }
}

/** RFC 9449 §7.1: at a resource it is 401, so that the client comes back with another proof. */
function refused(description: string, cause?: unknown): OAuthError {
  return new OAuthError('invalid_dpop_proof', description, { status: 401, cause });
}
