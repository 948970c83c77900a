import type { Revocation } from '@behalf/contracts';

/**
 * What two revocations of the same thing come to, whichever arrived first: the later one says how far it reaches, and
 * it is remembered for the longer of the two. Of two at the same moment the wider one holds.
 */
export function mergeRevocations(one: Revocation, other: Revocation): Revocation {
  const isWider = other.revokedAtMs === one.revokedAtMs && other.issuedUntilMs === undefined;
  const later = other.revokedAtMs > one.revokedAtMs || isWider ? other : one;
  return { ...later, expiresAtMs: Math.max(one.expiresAtMs, other.expiresAtMs) };
}
