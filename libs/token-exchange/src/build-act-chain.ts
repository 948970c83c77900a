import {
  type ActClaim,
  chainDepth,
  encodedChainBytes,
  maxChainBytes,
  maxChainDepth,
  nestActor,
} from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';

/**
 * Puts the new actor around the chain the subject token carries. The chain is never cut, reordered or dropped: over
 * the limits, everybody's and this actor's own, it is refused.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §4.1
 */
export function buildActChain(
  actorSub: string,
  earlier: ActClaim | undefined,
  ownMaxDepth: number = maxChainDepth,
): ActClaim {
  const chain = nestActor({ sub: actorSub }, earlier);
  if (chainDepth(chain) > Math.min(maxChainDepth, ownMaxDepth))
    throw new ExchangeRefusal({ kind: 'chain_too_deep' });
  if (encodedChainBytes(chain) > maxChainBytes) throw new ExchangeRefusal({ kind: 'chain_too_large' });
  return chain;
}
