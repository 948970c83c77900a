import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';

/** Where the keys of an issuer are. */
export interface KeySource {
  issuer: string;
  /** Keys that were configured; nothing is fetched. */
  jwks?: { keys: readonly object[] } | undefined;
  /** Without it, what the metadata of the issuer names. */
  jwksUri?: string | undefined;
}

export interface IssuerKeySetsOptions {
  clock: Clock;
  /** Fetches JSON by a guarded fetch: https, small, quick, no redirects. Rejects for anything but a 200. */
  fetchJson: (url: string) => Promise<unknown>;
}

/** How long keys are used without looking again. */
const freshMs = 600_000;
/** How long keys that were fetched once are used on while their issuer cannot be reached. */
const usableMs = 24 * 3600_000;
/** Between two attempts: a flood of unknown kids, or an issuer that is down, costs one fetch in this time. */
const cooldownMs = 10_000;
const maxKeys = 100;

const keySetSchema = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(maxKeys) });
const metadataSchema = z.looseObject({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

interface KeptKeys {
  resolve?: JWTVerifyGetKey;
  fetchedAtMs: number;
  triedAtMs: number;
  loading?: Promise<void> | undefined;
}

/**
 * The key sets of other issuers. One fetch at a time for each; an unknown `kid` fetches again, since the issuer may
 * have rotated, and so does age. Only keys of the one issuer are ever tried for its tokens, and `jku`, `x5u` and `jwk`
 * in a header are never looked at.
 */
export class IssuerKeySets {
  readonly #kept = new Map<string, KeptKeys>();

  constructor(private readonly options: IssuerKeySetsOptions) {}

  /**
   * The key that a token of this issuer names.
   *
   * @throws JOSEError for a key that the issuer does not have; OAuthError `temporarily_unavailable` when its keys cannot
   *   be had
   */
  keysOf(source: KeySource): JWTVerifyGetKey {
    if (source.jwks) return createLocalJWKSet(toKeySet(source.jwks));
    return async (header, token) => {
      const kept = this.#keptOf(source);
      if (!this.#isWithin(kept.fetchedAtMs, freshMs)) await this.#refresh(source, kept);
      try {
        return await this.#usable(kept)(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        await this.#refresh(source, kept);
        return this.#usable(kept)(header, token);
      }
    };
  }

  #keptOf({ issuer, jwksUri }: KeySource): KeptKeys {
    const id = JSON.stringify([issuer, jwksUri]);
    const kept = this.#kept.get(id) ?? { fetchedAtMs: -Infinity, triedAtMs: -Infinity };
    this.#kept.set(id, kept);
    return kept;
  }

  #usable({ resolve, fetchedAtMs }: KeptKeys): JWTVerifyGetKey {
    if (resolve && this.#now() - fetchedAtMs < usableMs) return resolve;
    throw new OAuthError('temporarily_unavailable', 'the keys of the issuer cannot be had', {
      retryAfterSeconds: cooldownMs / 1000,
    });
  }

  /** Never fails: what was fetched before is used on. */
  async #refresh(source: KeySource, kept: KeptKeys): Promise<void> {
    if (!kept.loading && this.#isWithin(kept.triedAtMs, cooldownMs)) return;
    kept.loading ??= this.#fetch(source, kept).finally(() => (kept.loading = undefined));
    await kept.loading;
  }

  async #fetch(source: KeySource, kept: KeptKeys): Promise<void> {
    kept.triedAtMs = this.#now();
    try {
      const url = source.jwksUri ?? (await this.#findKeySet(source.issuer));
      kept.resolve = createLocalJWKSet(toKeySet(await this.options.fetchJson(url)));
      kept.fetchedAtMs = kept.triedAtMs;
    } catch {
      // Whoever needs a key that is not there learns of it.
    }
  }

  /** OpenID discovery first, since workload platforms have nothing else; then RFC 8414. */
  async #findKeySet(issuer: string): Promise<string> {
    const url = new URL(issuer);
    const path = url.pathname.replace(/\/$/, '');
    const places = [
      `${url.origin}${path}/.well-known/openid-configuration`,
      `${url.origin}/.well-known/oauth-authorization-server${path}`,
    ];
    for (const place of places) {
      const metadata = await this.options.fetchJson(place).then(
        (document) => metadataSchema.safeParse(document),
        () => undefined,
      );
      // Another issuer's document, at an address of this one, says nothing about this one (RFC 8414 §3.3).
      if (metadata?.success && metadata.data.issuer === issuer) return metadata.data.jwks_uri;
    }
    throw new Error('the issuer has no metadata');
  }

  /** What is in the future was written down by a clock that has been set back since: nobody waits until it is reached. */
  #isWithin(sinceMs: number, ms: number): boolean {
    const elapsedMs = this.#now() - sinceMs;
    return elapsedMs >= 0 && elapsedMs < ms;
  }

  #now(): number {
    return this.options.clock.nowMs();
  }
}

/** What a key is for when it signs: in a SPIFFE bundle it says so in its own way. */
const signingUses = new Set<unknown>([undefined, 'sig', 'jwt-svid']);

/** Symmetric keys in a published set are no keys: everybody has them. */
function toKeySet(document: unknown): JSONWebKeySet {
  const { keys } = keySetSchema.parse(document);
  return {
    keys: keys
      .filter(({ kty, use }) => kty !== 'oct' && signingUses.has(use))
      .map(({ use: _use, ...key }) => key),
  };
}
