import { ExchangeRefusal } from './exchange-refusal.js';

/**
 * When the issued token expires: never after any token it came from.
 *
 * @throws ExchangeRefusal when that is now or was before
 */
export function narrowLifetime(inputs: {
  nowSeconds: number;
  maxLifetimeSeconds: number;
  subjectExp: number;
  actorExp: number | undefined;
}): number {
  const { nowSeconds, maxLifetimeSeconds, subjectExp, actorExp = Infinity } = inputs;
  const exp = Math.min(nowSeconds + maxLifetimeSeconds, subjectExp, actorExp);
  // A verifier tolerates clocks that differ by seconds; what is issued here must not live on that.
  if (exp <= nowSeconds) throw new ExchangeRefusal({ kind: 'no_lifetime_left' });
  return exp;
}
