import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, TokenClaims } from './ports.js';
import { verifyPresentedToken } from './verify-presented-token.js';

/**
 * Verifies the subject token and that it stands for a person.
 *
 * Sender-constrained tokens are refused: without a proof of their key they would come out unbound.
 * Does not check whether this client may present it: that is `checkPresenter`.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1, RFC 9449 §7
 */
export async function verifySubjectToken(
  token: string,
  dependencies: Pick<ExchangeDependencies, 'verifyAccessToken'>,
): Promise<TokenClaims> {
  const claims = await verifyPresentedToken(token, 'subject', dependencies);
  if (claims.cnf !== undefined) throw new ExchangeRefusal({ kind: 'subject_token_bound' });
  // RFC 9068 §2.2: with client_credentials `sub` is the client itself. Nobody is there to act on behalf of.
  if (claims.sub === claims.client_id) throw new ExchangeRefusal({ kind: 'subject_is_no_person' });
  return claims;
}
