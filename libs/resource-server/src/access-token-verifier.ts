import { hash } from 'node:crypto';
import { verifyJwt } from '@behalf/jwt';
import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import type { RevocationView } from '@behalf/revocation';
import { type JWTVerifyGetKey, createRemoteJWKSet, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import type { AccessTokenClaims } from './access-token-claims.js';
import { parseAccessTokenClaims } from './parse-access-token-claims.js';
import type { Presentation, SenderConstraints } from './sender-constraints.js';

const acceptedAlgorithms = ['ES256', 'RS256'];
const clockToleranceSeconds = 5;
const maxTokenBytes = 16 * 1024;
/** By then a key that the issuer has withdrawn is not believed any more, nor what it was seen to have signed. */
const maxKeyAgeMs = 600_000;

export interface AccessTokenVerifierOptions {
  issuer: string;
  keys: JWTVerifyGetKey;
  revocations: Pick<RevocationView, 'isRevoked'>;
  clock: Clock;
  /** So many tokens whose signature has been verified are known again, for as long as a key is; none without it. */
  maxVerified?: number;
}

/** The issuer's keys, fetched when first needed and again for an unknown `kid`, at most every ten seconds. */
export function remoteKeys(jwksUri: string): JWTVerifyGetKey {
  return createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: 3_000,
    cooldownDuration: 10_000,
    cacheMaxAge: maxKeyAgeMs,
  });
}

/**
 * Validates `at+jwt` access tokens of one issuer.
 *
 * Checks signature (ES256 or RS256), `typ`, `iss`, times, a single `aud`, the required claims and every way the token
 * can have been revoked. Does not check scope, nor whether anything may be done with it. A sender-constrained token is
 * never taken as a bearer token.
 *
 * @see RFC 9068 §4
 */
export class AccessTokenVerifier {
  /** The claims of tokens that were valid, by the digest of token and audience. */
  readonly #verified: LRUCache<string, AccessTokenClaims> | undefined;

  constructor(private readonly options: AccessTokenVerifierOptions) {
    const { maxVerified, clock } = options;
    this.#verified =
      maxVerified === undefined
        ? undefined
        : new LRUCache({
            max: maxVerified,
            ttl: maxKeyAgeMs,
            ttlResolution: 0,
            perf: { now: () => clock.nowMs() },
          });
  }

  /**
   * Verifies a bearer token. Sender-constrained ones are refused: there is no proof to check.
   *
   * @param resource the only audience that is accepted
   * @throws OAuthError `invalid_token`; `temporarily_unavailable` when keys or revocations cannot be known
   */
  async verify(token: string, resource: string): Promise<AccessTokenClaims> {
    const claims = await this.#validate(token, resource);
    if (claims.cnf) throw new OAuthError('invalid_token', 'sender-constrained tokens are not accepted here');
    return claims;
  }

  /**
   * Verifies a token however it came, and that its presenter is who it is bound to.
   *
   * @throws OAuthError as `verify`; `invalid_dpop_proof`, `use_dpop_nonce`
   */
  async verifyPresented(
    presentation: Presentation,
    resource: string,
    constraints: SenderConstraints,
  ): Promise<AccessTokenClaims> {
    const claims = await this.#validate(presentation.token, resource);
    await constraints.check(claims, presentation);
    return claims;
  }

  /**
   * The same as `verify` without asking whom the token is for, and with sender-constrained tokens let through: for the issuer
   * itself, which is shown its own tokens at exchange, introspection and revocation. Never for a resource.
   */
  async verifyForAnyAudience(token: string): Promise<AccessTokenClaims> {
    return this.#validate(token, undefined);
  }

  /**
   * Checks claims that were verified a while ago once more: whether they still hold.
   *
   * @throws OAuthError `invalid_token`; `temporarily_unavailable` when revocations cannot be known
   */
  checkStillValid(claims: AccessTokenClaims): void {
    if ((claims.exp + clockToleranceSeconds) * 1000 <= this.options.clock.nowMs())
      throw new OAuthError('invalid_token', 'the access token has expired');
    this.#checkNotRevoked(claims);
  }

  async #validate(token: string, audience: string | undefined): Promise<AccessTokenClaims> {
    if (token.length > maxTokenBytes) throw new OAuthError('invalid_token', 'the access token is too large');
    const digest = this.#verified && hash('sha256', JSON.stringify([audience ?? null, token]), 'base64url');
    const known = digest === undefined ? undefined : this.#verified?.get(digest);
    if (known !== undefined) {
      // Only what the signature vouches for was kept: a token that was revoked is refused at once.
      this.checkStillValid(known);
      return known;
    }
    const payload = await this.#verifySignature(token, audience);
    // RFC 9068 allows a list; one audience per token is our rule, so that no other resource can replay it.
    const claims = parseAccessTokenClaims(payload);
    if (!claims.success)
      throw new OAuthError('invalid_token', 'the access token lacks required claims', {
        cause: claims.error,
      });
    this.#checkNotRevoked(claims.data);
    if (digest !== undefined) this.#verified?.set(digest, claims.data);
    return claims.data;
  }

  async #verifySignature(token: string, audience: string | undefined): Promise<unknown> {
    const { issuer, keys, clock } = this.options;
    try {
      const { payload } = await verifyJwt(token, keys, {
        issuer,
        ...(audience !== undefined && { audience }),
        typ: 'at+jwt',
        algorithms: acceptedAlgorithms,
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(clock.nowMs()),
      });
      return payload;
    } catch (cause) {
      if (cause instanceof errors.JWTExpired)
        throw new OAuthError('invalid_token', 'the access token has expired', { cause });
      if (isAboutTheToken(cause))
        throw new OAuthError('invalid_token', 'the access token is not valid for this resource', { cause });
      throw new OAuthError('temporarily_unavailable', 'the issuer keys cannot be fetched', {
        cause,
        retryAfterSeconds: 2,
      });
    }
  }

  #checkNotRevoked(claims: AccessTokenClaims): void {
    let isRevoked: boolean;
    try {
      isRevoked = this.options.revocations.isRevoked(claims);
    } catch (cause) {
      throw new OAuthError('temporarily_unavailable', 'revocations are not known at this moment', {
        cause,
        retryAfterSeconds: 2,
      });
    }
    if (isRevoked) throw new OAuthError('invalid_token', 'the access token was revoked');
  }
}

/** A fault of the presented token, as opposed to one of the key endpoint. */
function isAboutTheToken(cause: unknown): boolean {
  return (
    cause instanceof errors.JOSEError &&
    !(cause instanceof errors.JWKSTimeout) &&
    !(cause instanceof errors.JWKSInvalid) &&
    cause.code !== 'ERR_JOSE_GENERIC'
  );
}
