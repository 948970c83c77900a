import { createHash, timingSafeEqual } from 'node:crypto';

const marker = 'sha256:';

/** Registered clients get 512 random bits, which need no salt and no slow hash. Anything but a text stays as it is. */
export function hashClientSecret(secret: unknown): unknown {
  if (typeof secret !== 'string' || secret.startsWith(marker)) return secret;
  return marker + createHash('sha256').update(secret).digest('base64url');
}

/** Compares a presented secret with a stored one, hashed or not, in time that depends on neither. */
export function matchesClientSecret(stored: string, presented: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = stored.startsWith(marker)
    ? Buffer.from(stored.slice(marker.length), 'base64url')
    : digest(stored);
  const actual = digest(presented);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
