import {
  type ActClaim,
  type AuthorizationDetail,
  type Confirmation,
  actorChain,
  isWithinDetails,
  parseScope,
} from '@behalf/oauth';
import { isDeepStrictEqual } from 'node:util';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { IssuedClaims } from './issued-token-claims.js';
import type { DelegationGrant, ExchangeDependencies, SubjectToken } from './ports.js';

/**
 * The last look before signing. It shares no code with what built the claims and knows nothing of the request: it
 * holds the finished claims against the subject token alone. A fault here is a fault of ours, and is refused.
 *
 * @throws ExchangeRefusal
 */
export function validateIssuedClaims(
  issued: IssuedClaims,
  { kind, claims: subject }: SubjectToken,
  expected: {
    actorSub: string;
    nowSeconds: number;
    proof: Confirmation | undefined;
    delegation: DelegationGrant | undefined;
  } & Pick<ExchangeDependencies, 'issuer' | 'maxLifetimeSeconds'>,
): void {
  const { delegation, proof } = expected;
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new ExchangeRefusal({ kind: 'issued_claims_unsound', fault });
  };
  unless(issued.iss === expected.issuer, 'iss is not ours');
  unless(issued.sub === subject.sub, 'sub is not the person');
  unless(typeof issued.aud === 'string' && issued.aud !== '', 'aud is not one audience');
  const scope = parseScope(issued.scope);
  // An ID token carries no scope: only what the person delegated can be in its stead.
  const isWithinSubject = kind === 'id_token' ? delegation : scope.isSubsetOf(parseScope(subject.scope));
  unless(Boolean(isWithinSubject), 'scope grew');
  unless(
    !delegation || [...scope].every((value) => delegation.scopes.includes(value)),
    'scope is not delegated',
  );
  unless(isWithinAll(issued.authorization_details, subject.authorization_details), 'details grew');
  unless(
    !delegation || isWithinAll(issued.authorization_details, delegation.authorizationDetails),
    'details are not delegated',
  );
  unless(issued.exp <= subject.exp, 'exp is later than the subject token');
  unless(issued.exp <= expected.nowSeconds + expected.maxLifetimeSeconds, 'exp is beyond the limit');
  unless(!delegation || issued.exp <= delegation.expiresAtSeconds, 'exp is later than the delegation grant');
  unless(issued.jti !== subject.jti, 'jti is not fresh');
  unless(
    isDeepStrictEqual(issued.lineage, [...(subject.lineage ?? []), subject.jti]),
    'a token it comes from is missing',
  );
  const delegations = new Set([...(subject.delegations ?? []), ...(delegation ? [delegation.id] : [])]);
  unless(isDeepStrictEqual(new Set(issued.delegations), delegations), 'a delegation grant is missing');
  unless(
    issued.grant_id === subject.grant_id && issued.sid === subject.sid,
    'the ties to grant and session changed',
  );
  unless(issued.txn === (subject.txn ?? subject.jti), 'the chain lost its name');
  unless(
    isGrownByOne(issued.act, subject.act, expected.actorSub),
    'the chain is not the old one and the actor',
  );
  unless(issued.may_act === undefined, 'a claim came along that was not decided on');
  unless(isDeepStrictEqual(issued.cnf, proof), 'it is not bound to the keys of the client');
  unless(subject.cnf === undefined || issued.cnf !== undefined, 'it is no longer bound to a key');
}

function isWithinAll(
  issued: readonly AuthorizationDetail[] = [],
  held: readonly AuthorizationDetail[] = [],
): boolean {
  return issued.every((detail) => isWithinDetails(detail, held));
}

function isGrownByOne(chain: ActClaim, earlier: ActClaim | undefined, actorSub: string): boolean {
  const [current, ...rest] = actorChain(chain);
  return current?.sub === actorSub && isDeepStrictEqual(rest, actorChain(earlier));
}
