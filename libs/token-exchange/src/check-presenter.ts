import { z } from 'zod';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, RequestingClient, TokenClaims } from './ports.js';

const mayActSchema = z.looseObject({
  sub: z.string(),
  client_id: z.string().optional(),
  iss: z.string().optional(),
});

/**
 * Checks that the client may present this subject token.
 *
 * A token with `may_act` names who may; nobody else. Any other token may be presented by the client it was issued to,
 * or by a client that serves the resource it is addressed to. The attack is the confused deputy: one service's token,
 * seen by another, turned into a third.
 *
 * @throws ExchangeRefusal
 * @see RFC 8693 §4.4 for `may_act`
 */
export function checkPresenter(
  subject: TokenClaims,
  client: RequestingClient,
  { issuer, findTarget }: Pick<ExchangeDependencies, 'issuer' | 'findTarget'>,
): void {
  if (subject.may_act !== undefined) {
    const mayAct = mayActSchema.safeParse(subject.may_act);
    const named =
      mayAct.success &&
      mayAct.data.sub === client.clientId &&
      (mayAct.data.client_id ?? client.clientId) === client.clientId &&
      (mayAct.data.iss ?? issuer) === issuer;
    if (!named) throw new ExchangeRefusal({ kind: 'actor_not_named_by_may_act' });
    return;
  }
  const isIssuedTo = subject.client_id === client.clientId;
  const isAddressedTo = findTarget(subject.aud)?.servedBy.includes(client.clientId) ?? false;
  if (!isIssuedTo && !isAddressedTo) throw new ExchangeRefusal({ kind: 'subject_token_not_for_client' });
}
