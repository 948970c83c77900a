import { OAuthError } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { TokenClaims } from './ports.js';

/**
 * The claims of a subject or actor token, once it is verified. A token that is not valid and one that could not be
 * checked are told apart: the second may be presented again.
 *
 * @throws ExchangeRefusal
 */
export function verifyPresentedToken<T extends TokenClaims>(
  verifying: Promise<T>,
  role: 'subject' | 'actor',
): Promise<T> {
  return verifying.catch((cause: unknown) => {
    const isUndecided = !(cause instanceof OAuthError) || cause.code === 'temporarily_unavailable';
    throw new ExchangeRefusal({
      kind: isUndecided ? 'verification_unavailable' : `${role}_token_invalid`,
      cause,
    });
  });
}
