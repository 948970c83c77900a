import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, RequestingClient, TokenClaims } from './ports.js';
import { verifyPresentedToken } from './verify-presented-token.js';

/**
 * Verifies the actor token: the client's own access token, made with `client_credentials`. A client cannot name
 * another party as the actor, and an actor that is itself acted for has no place in the chain.
 * Does not check its key: that is `checkBinding`.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1 `actor_token`
 */
export async function verifyActorToken(
  token: string,
  client: RequestingClient,
  { verifyAccessToken }: Pick<ExchangeDependencies, 'verifyAccessToken'>,
): Promise<TokenClaims> {
  const claims = await verifyPresentedToken(verifyAccessToken(token), 'actor');
  if (claims.sub !== client.clientId || claims.client_id !== client.clientId || claims.act !== undefined) {
    throw new ExchangeRefusal({ kind: 'actor_is_not_client' });
  }
  return claims;
}
