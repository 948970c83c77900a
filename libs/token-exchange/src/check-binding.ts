import { type Confirmation, confirmationSchema, isProvenBy } from '@behalf/oauth';
import { z } from 'zod';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { TokenClaims } from './ports.js';

const handOverSchema = z.looseObject({ cnf: confirmationSchema });

/**
 * A sender-constrained token is worth nothing without its key. The client has to prove the key that the subject token
 * is bound to, or the one that the token hands itself over to in `may_act.cnf`, or show that its presenter proved it
 * (`relayedKey`); of an actor token its own key.
 *
 * The attack: a stolen bound token is taken to the exchange and comes back as one that needs no key. A `cnf` in a form
 * that cannot be checked here is refused, not passed over. Does not check who may present the token.
 *
 * @throws ExchangeRefusal
 * @see RFC 9449 §7, RFC 8705 §3, RFC 7800 §3.1
 */
export function checkBinding(
  claims: TokenClaims,
  role: 'subject' | 'actor',
  proof: Confirmation | undefined,
  relayed?: Confirmation,
): void {
  if (claims.cnf === undefined) return;
  const bound = confirmationSchema.safeParse(claims.cnf);
  if (!bound.success) throw new ExchangeRefusal({ kind: `${role}_key_unproven` });
  if (isProvenBy(bound.data, proof) || isProvenBy(bound.data, relayed)) return;
  const handedOver = role === 'subject' ? handOverSchema.safeParse(claims.may_act) : undefined;
  if (handedOver?.success && isProvenBy(handedOver.data.cnf, proof)) return;
  throw new ExchangeRefusal({ kind: `${role}_key_unproven` });
}
