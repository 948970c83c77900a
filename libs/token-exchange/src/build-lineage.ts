import { maxChainDepth } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { TokenClaims } from './ports.js';

/**
 * The ids of all tokens that the issued one comes from, oldest first, so that revoking one of them ends what was made
 * of it. Like the chain of actors it is never cut: over its limit the exchange is refused.
 *
 * @throws ExchangeRefusal
 */
export function buildLineage(subject: TokenClaims): string[] {
  const lineage = [...(subject.lineage ?? []), subject.jti];
  if (lineage.length > maxChainDepth) throw new ExchangeRefusal({ kind: 'chain_too_deep' });
  return lineage;
}
