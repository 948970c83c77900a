import { OAuthError } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, TokenClaims } from './ports.js';

/**
 * Verifies a subject or actor token as far as both are alike. A token that is not valid and one that could not be
 * checked are told apart: the second may be presented again.
 *
 * @throws ExchangeRefusal
 */
export function verifyPresentedToken(
  token: string,
  role: 'subject' | 'actor',
  { verifyAccessToken }: Pick<ExchangeDependencies, 'verifyAccessToken'>,
): Promise<TokenClaims> {
  return verifyAccessToken(token).catch((cause: unknown) => {
    const isUndecided = !(cause instanceof OAuthError) || cause.code === 'temporarily_unavailable';
    throw new ExchangeRefusal({
      kind: isUndecided ? 'verification_unavailable' : `${role}_token_invalid`,
      cause,
    });
  });
}
