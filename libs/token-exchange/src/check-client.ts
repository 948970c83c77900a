import { ExchangeRefusal } from './exchange-refusal.js';
import type { RequestingClient } from './ports.js';

/**
 * Only an authenticated client that an operator has given a ceiling may exchange. The attack: whoever finds a leaked
 * token launders it into a fresh one.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §5 (security considerations), RFC 6749 §5.2 `unauthorized_client`
 */
export function checkClient(
  client: RequestingClient,
): asserts client is RequestingClient & { ceiling: NonNullable<RequestingClient['ceiling']> } {
  if (!client.isConfidential) throw new ExchangeRefusal({ kind: 'client_is_public' });
  if (client.ceiling === undefined) throw new ExchangeRefusal({ kind: 'client_may_not_exchange' });
}
