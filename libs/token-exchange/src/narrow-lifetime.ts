import { ExchangeRefusal } from './exchange-refusal.js';

/**
 * When the issued token expires: never after any token, or grant, it came from.
 *
 * @throws ExchangeRefusal when that is now or was before
 */
export function narrowLifetime(inputs: {
  nowSeconds: number;
  maxLifetimeSeconds: number;
  /** When each of what it comes from expires. */
  inputExps: readonly number[];
}): number {
  const exp = Math.min(inputs.nowSeconds + inputs.maxLifetimeSeconds, ...inputs.inputExps);
  // A verifier tolerates clocks that differ by seconds; what is issued here must not live on that.
  if (exp <= inputs.nowSeconds) throw new ExchangeRefusal({ kind: 'no_lifetime_left' });
  return exp;
}
