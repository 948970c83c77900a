import { hash, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const marker = 'sha256:';
/** Of the clients that come most often: what their secrets are compared with is worked out once. */
const accepted = new LRUCache<string, readonly Buffer[]>({ max: 1_000 });

/** Registered clients get 512 random bits, which need no salt and no slow hash. Anything but a text stays as it is. */
export function hashClientSecret(secret: unknown): unknown {
  if (typeof secret !== 'string' || secret.startsWith(marker)) return secret;
  return marker + hash('sha256', secret, 'base64url');
}

/** The stored form of several secrets, any of which is good. Of none it is one that nothing matches. */
export function joinSecretHashes(hashes: readonly string[]): string {
  return marker + hashes.join(',');
}

/** Compares a presented secret with stored ones, hashed or not, in time that depends on none. */
export function matchesAnySecret(stored: readonly string[], presented: string): boolean {
  const actual = hash('sha256', presented, 'buffer');
  let isOne = false;
  for (const expected of stored.flatMap(acceptedBy))
    if (expected.length === actual.length && timingSafeEqual(expected, actual)) isOne = true;
  return isOne;
}

function acceptedBy(stored: string): readonly Buffer[] {
  const known = accepted.get(stored);
  if (known) return known;
  const digests = stored.startsWith(marker)
    ? stored
        .slice(marker.length)
        .split(',')
        .map((digestText) => Buffer.from(digestText, 'base64url'))
    : [hash('sha256', stored, 'buffer')];
  accepted.set(stored, digests);
  return digests;
}
