import { OAuthError } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, MintedToken } from './ports.js';

/**
 * True while a token that was issued before may be given out again: it has not expired, nothing it came from has been
 * revoked, and every delegation grant it stands on is still there.
 *
 * Does not ask policy again: whoever keeps tokens drops them when policy changes.
 *
 * @throws ExchangeRefusal when that cannot be known
 */
export async function isStillGood(
  minted: Pick<MintedToken, 'expiresAtSeconds' | 'ties' | 'delegations'>,
  nowSeconds: number,
  {
    checkNotRevoked,
    findDelegationGrant,
  }: Pick<ExchangeDependencies, 'checkNotRevoked' | 'findDelegationGrant'>,
): Promise<boolean> {
  if (minted.expiresAtSeconds <= nowSeconds || !checkNotRevoked) return false;
  try {
    await checkNotRevoked(minted.ties);
    for (const { grantId, need } of minted.delegations) {
      const grant = await findDelegationGrant?.({ ...need, nowSeconds });
      if (grant?.id !== grantId) return false;
    }
    return true;
  } catch (cause) {
    if (cause instanceof OAuthError && cause.code === 'invalid_token') return false;
    throw new ExchangeRefusal({ kind: 'verification_unavailable', cause });
  }
}
