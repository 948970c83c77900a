import { isSameJson } from '@behalf/i-json';
import {
  type ActClaim,
  type AuthorizationDetail,
  type Confirmation,
  ScopeSet,
  actorChain,
  isWithinDetails,
  parseScope,
} from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { IssuedClaims } from './issued-token-claims.js';
import type { DelegationGrant, ExchangeDependencies, MayAct, SubjectToken } from './ports.js';

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
    /** Undefined when the client is not to be named. */
    actorSub: string | undefined;
    audiences: readonly string[];
    nowSeconds: number;
    proof: Confirmation | undefined;
    mayAct: MayAct | undefined;
    delegations: readonly DelegationGrant[];
  } & Pick<ExchangeDependencies, 'issuer' | 'maxLifetimeSeconds'>,
): void {
  const { delegations, actorSub } = expected;
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new ExchangeRefusal({ kind: 'issued_claims_unsound', fault });
  };
  unless(issued.iss === expected.issuer, 'iss is not ours');
  unless(issued.sub === subject.sub, 'sub is not the person');
  const audiences = [issued.aud].flat();
  unless(audiences.length > 0 && isSameJson(audiences, expected.audiences), 'aud is not the target');
  const scope = parseScope(issued.scope);
  // An ID token carries no scope: only what the person delegated can be in its stead.
  const isWithinSubject =
    kind === 'id_token' ? delegations.length > 0 : scope.isSubsetOf(parseScope(subject.scope));
  unless(isWithinSubject, 'scope grew');
  unless(isWithinAll(issued.authorization_details, subject.authorization_details), 'details grew');
  for (const { scopes, authorizationDetails, expiresAtSeconds } of delegations) {
    unless(scope.isSubsetOf(new ScopeSet(scopes)), 'scope is not delegated');
    unless(isWithinAll(issued.authorization_details, authorizationDetails), 'details are not delegated');
    unless(issued.exp <= expiresAtSeconds, 'exp is later than the delegation grant');
  }
  unless(issued.exp <= subject.exp, 'exp is later than the subject token');
  unless(issued.exp <= expected.nowSeconds + expected.maxLifetimeSeconds, 'exp is beyond the limit');
  unless(issued.jti !== subject.jti, 'jti is not fresh');
  unless(
    isSameJson(issued.lineage, [...(subject.lineage ?? []), subject.jti]),
    'a token it comes from is missing',
  );
  const standsOn = new Set([...(subject.delegations ?? []), ...delegations.map(({ id }) => id)]);
  const named = new Set(issued.delegations);
  const isSameSet = named.size === standsOn.size && [...named].every((id) => standsOn.has(id));
  unless(isSameSet, 'a delegation grant is missing');
  unless(
    issued.grant_id === subject.grant_id && issued.sid === subject.sid,
    'the ties to grant and session changed',
  );
  unless(issued.txn === (subject.txn ?? subject.jti), 'the chain lost its name');
  const isChainSound =
    actorSub === undefined
      ? issued.act === undefined && subject.act === undefined && subject.may_act === undefined
      : isGrownByOne(issued.act, subject.act, actorSub);
  unless(isChainSound, 'the chain is not the old one and the actor');
  unless(isSameJson(issued.may_act, expected.mayAct), 'may_act is not what was decided on');
  unless(isSameJson(issued.cnf, expected.proof), 'it is not bound to the keys of the client');
  unless(subject.cnf === undefined || issued.cnf !== undefined, 'it is no longer bound to a key');
}

function isWithinAll(
  issued: readonly AuthorizationDetail[] = [],
  held: readonly AuthorizationDetail[] = [],
): boolean {
  return issued.every((detail) => isWithinDetails(detail, held));
}

function isGrownByOne(chain: ActClaim | undefined, earlier: ActClaim | undefined, actorSub: string): boolean {
  const [current, ...rest] = actorChain(chain);
  return current?.sub === actorSub && isSameJson(rest, actorChain(earlier));
}
