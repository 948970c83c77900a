import type { Revocation } from '@behalf/contracts';
import type { RevocableClaims } from './revocation-keys.js';

/**
 * True when a revocation ends a token that one of its keys names.
 *
 * A client that was given back its rights keeps what it is issued from then on, and nothing from before; so it is with
 * a grant that was narrowed, and a person whose sessions were ended. `iat` is in whole seconds, rounded down: a token of the very second counts as issued
 * before, and so does one without `iat`. Every other revocation ends whatever it names.
 *
 * Does not compare ids: that is what `revocationKeys` is for.
 */
export function touches(
  { kind, issuedUntilMs }: Pick<Revocation, 'kind' | 'issuedUntilMs'>,
  { iat }: Pick<RevocableClaims, 'iat'>,
): boolean {
  const canEndEarlierOnly = kind === 'client' || kind === 'grant' || kind === 'person';
  if (!canEndEarlierOnly || issuedUntilMs === undefined || iat === undefined) return true;
  return iat * 1000 <= issuedUntilMs;
}
