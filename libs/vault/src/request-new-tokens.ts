import { type Provider, type ProviderTokens, ThirdPartyError } from '@behalf/third-party';
import { graceMs, maxRequests, requestTimeoutMs } from './refresh-timing.js';
import type { RefreshSecret } from './sealed-credential.js';
import type { VaultDependencies } from './vault-dependencies.js';

const firstPauseMs = 100;

export type RefreshOutcome =
  | { readonly kind: 'tokens'; readonly tokens: ProviderTokens }
  /** The provider refused the refresh token. */
  | { readonly kind: 'refused'; readonly mayBeOurOwnUse: boolean }
  /** It may or may not have acted. */
  | { readonly kind: 'lost'; readonly error: ThirdPartyError }
  /** It did not act. */
  | { readonly kind: 'failed'; readonly error: ThirdPartyError };

/**
 * Asks for new tokens, and asks again for an answer that got lost while the provider still answers a used refresh token.
 *
 * @param isLeader whether nobody else may have begun meanwhile: then it is not asked again
 */
export async function requestNewTokens(
  provider: Provider,
  { refreshToken, client }: RefreshSecret,
  scopes: readonly string[],
  isLeader: () => boolean,
  {
    thirdParties,
    clock,
    wait,
    random,
  }: Pick<VaultDependencies, 'thirdParties' | 'clock' | 'wait' | 'random'>,
): Promise<RefreshOutcome> {
  const firstSentAtMs = clock.nowMs();
  for (let nth = 1; ; nth++) {
    const signal = AbortSignal.timeout(requestTimeoutMs(provider));
    try {
      const tokens = await thirdParties.refresh(provider, { refreshToken, scopes, client, signal });
      return { kind: 'tokens', tokens };
    } catch (cause) {
      const error =
        cause instanceof ThirdPartyError
          ? cause
          : new ThirdPartyError('outcome_unknown', provider.id, { cause });
      if (error.problem === 'invalid_grant') return { kind: 'refused', mayBeOurOwnUse: nth > 1 };
      if (error.problem !== 'outcome_unknown') return { kind: nth > 1 ? 'lost' : 'failed', error };
      const pauseMs = firstPauseMs * 2 ** nth * (0.5 + random() / 2);
      const isInGrace = clock.nowMs() + pauseMs - firstSentAtMs < graceMs(provider);
      if (nth === maxRequests || !isInGrace || !isLeader()) return { kind: 'lost', error };
      await wait(pauseMs);
    }
  }
}
