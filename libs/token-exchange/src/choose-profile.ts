import { coversAudience } from './covers-audience.js';
import type { ExchangeCeiling, ExchangeTarget, SubjectToken } from './ports.js';

/**
 * `delegation`: the client acts for the person and is named in `act`. `impersonation`: the client acts as the person, and
 * nothing in the token tells. That is a permission of its own, refused by default.
 *
 * @see RFC 8693 §1.1
 */
export type ExchangeProfile = 'delegation' | 'impersonation';

/**
 * Which profile an exchange follows. Where the subject token comes from and what the operator gave the client decide;
 * what the request says, and above all what it leaves out, does not. A token with a chain, with a named actor or with a
 * key, one of another issuer and one that only says who somebody is are delegated whatever the client may do.
 *
 * The attack: leave out `actor_token` and lose the chain.
 */
export function chooseProfile(
  { kind, claims }: SubjectToken,
  ceiling: ExchangeCeiling,
  targets: readonly ExchangeTarget[],
): ExchangeProfile {
  const isPlain =
    kind === 'access_token' &&
    claims.act === undefined &&
    claims.may_act === undefined &&
    claims.cnf === undefined;
  const { impersonation } = ceiling;
  const isPermitted =
    impersonation !== undefined && targets.every(({ resource }) => coversAudience(impersonation, resource));
  return isPlain && isPermitted ? 'impersonation' : 'delegation';
}
