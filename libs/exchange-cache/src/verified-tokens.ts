import { hash } from 'node:crypto';
import type { Clock } from '@behalf/ports';
import { LRUCache } from 'lru-cache';

/**
 * The claims of tokens whose signatures were verified here, by the digest of the token, until they expire. Only what the
 * signature vouches for is kept: whether a token has been revoked is to be asked each time.
 */
export class VerifiedTokens<T extends { exp: number }> {
  readonly #claims: LRUCache<string, T>;

  constructor(
    private readonly clock: Clock,
    { maxEntries }: { maxEntries: number },
  ) {
    this.#claims = new LRUCache({ max: maxEntries });
  }

  /** @param verify runs when the token is not known; a failure is not kept */
  async verify(token: string, verify: (token: string) => Promise<T>): Promise<T> {
    const digest = hash('sha256', token, 'base64url');
    const known = this.#claims.get(digest);
    if (known && known.exp * 1000 > this.clock.nowMs()) return known;
    this.#claims.delete(digest);
    const claims = await verify(token);
    this.#claims.set(digest, claims);
    return claims;
  }

  /** For when a signing key is no longer to be believed. */
  clear(): void {
    this.#claims.clear();
  }
}
