import { hash, timingSafeEqual } from 'node:crypto';

const marker = 'sha256:';

/** Registered clients get 512 random bits, which need no salt and no slow hash. Anything but a text stays as it is. */
export function hashClientSecret(secret: unknown): unknown {
  if (typeof secret !== 'string' || secret.startsWith(marker)) return secret;
  return marker + hash('sha256', secret, 'base64url');
}

/** The stored form of several secrets, any of which is good. Of none it is one that nothing matches. */
export function joinSecretHashes(hashes: readonly string[]): string {
  return marker + hashes.join(',');
}

/** Compares a presented secret with a stored one, hashed or not, in time that depends on neither. */
export function matchesClientSecret(stored: string, presented: string): boolean {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer');
  const accepted = stored.startsWith(marker)
    ? stored
        .slice(marker.length)
        .split(',')
        .map((digestText) => Buffer.from(digestText, 'base64url'))
    : [digest(stored)];
  const actual = digest(presented);
  let isOne = false;
  for (const expected of accepted)
    if (expected.length === actual.length && timingSafeEqual(expected, actual)) isOne = true;
  return isOne;
}
