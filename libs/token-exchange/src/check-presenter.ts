import { z } from 'zod';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, RequestingClient, SubjectToken } from './ports.js';

const mayActSchema = z.looseObject({
  sub: z.string(),
  client_id: z.string().optional(),
  iss: z.string().optional(),
});

/**
 * Checks that the client may present this subject token.
 *
 * A token with `may_act` names who may; nobody else. Any other access token of ours may be presented by the client it was
 * issued to, or by a client that serves the resource it is addressed to; an ID token only by its client. Which clients
 * may present an external issuer's tokens is part of trusting that issuer, and was checked when the token was verified.
 * The attack is the confused deputy: one service's token, seen by another, turned into a third.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §4.4 for `may_act`
 */
export function checkPresenter(
  { kind, claims }: SubjectToken,
  client: RequestingClient,
  { issuer, findTarget }: Pick<ExchangeDependencies, 'issuer' | 'findTarget'>,
): void {
  if (claims.may_act !== undefined) {
    const mayAct = mayActSchema.safeParse(claims.may_act);
    const named =
      mayAct.success &&
      mayAct.data.sub === client.clientId &&
      (mayAct.data.client_id ?? client.clientId) === client.clientId &&
      // A client id says nothing without whose it is, and in another issuer's token that is not us by itself.
      (mayAct.data.iss ?? (kind === 'external' ? undefined : issuer)) === issuer;
    if (!named) throw new ExchangeRefusal({ kind: 'actor_not_named_by_may_act' });
    return;
  }
  // A transaction token goes from workload to workload of the trust domain; which of them may replace it, the ceiling says.
  if (kind === 'external' || kind === 'transaction_token') return;
  const isIssuedTo = claims.client_id === client.clientId;
  const isAddressedTo =
    kind === 'access_token' && (findTarget(claims.aud)?.servedBy.includes(client.clientId) ?? false);
  if (!isIssuedTo && !isAddressedTo) throw new ExchangeRefusal({ kind: 'subject_token_not_for_client' });
}
