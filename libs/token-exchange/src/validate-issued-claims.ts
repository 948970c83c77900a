import { type ActClaim, actorChain, parseScope } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { IssuedClaims } from './issued-token-claims.js';
import type { ExchangeDependencies, TokenClaims } from './ports.js';

/**
 * The last look before signing. It shares no code with what built the claims and knows nothing of the request: it
 * holds the finished claims against the subject token alone. A fault here is a fault of ours, and is refused.
 *
 * @throws ExchangeRefusal
 */
export function validateIssuedClaims(
  issued: IssuedClaims,
  subject: TokenClaims,
  expected: { actorSub: string; nowSeconds: number } & Pick<
    ExchangeDependencies,
    'issuer' | 'maxLifetimeSeconds'
  >,
): void {
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new ExchangeRefusal({ kind: 'issued_claims_unsound', fault });
  };
  unless(issued.iss === expected.issuer, 'iss is not ours');
  unless(issued.sub === subject.sub, 'sub is not the person');
  unless(typeof issued.aud === 'string' && issued.aud !== '', 'aud is not one audience');
  unless(parseScope(issued.scope).isSubsetOf(parseScope(subject.scope)), 'scope grew');
  unless(issued.exp <= subject.exp, 'exp is later than the subject token');
  unless(issued.exp <= expected.nowSeconds + expected.maxLifetimeSeconds, 'exp is beyond the limit');
  unless(issued.jti !== subject.jti, 'jti is not fresh');
  unless(
    issued.grant_id === subject.grant_id && issued.sid === subject.sid,
    'the ties to grant and session changed',
  );
  unless(issued.txn === (subject.txn ?? subject.jti), 'the chain lost its name');
  unless(
    isGrownByOne(issued.act, subject.act, expected.actorSub),
    'the chain is not the old one and the actor',
  );
  unless(
    issued.may_act === undefined && issued.cnf === undefined,
    'a claim came along that was not decided on',
  );
}

function isGrownByOne(chain: ActClaim, earlier: ActClaim | undefined, actorSub: string): boolean {
  const [current, ...rest] = actorChain(chain);
  return current?.sub === actorSub && JSON.stringify(rest) === JSON.stringify(actorChain(earlier));
}
