import { isDeepStrictEqual } from 'node:util';
import { parseScope } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { SubjectToken, TransactionTokenClaims } from './ports.js';

/**
 * The last look at a transaction token before signing, as `validateIssuedClaims` takes it at an access token.
 *
 * @throws ExchangeRefusal
 * @see draft-ietf-oauth-transaction-tokens, "Replacement": `txn`, `sub` and `aud` never change, nothing widens
 */
export function validateTransactionToken(
  issued: TransactionTokenClaims,
  { kind, claims: subject }: SubjectToken,
  expected: { issuer: string; trustDomain: string; nowSeconds: number; maxLifetimeSeconds: number },
): void {
  const unless = (sound: boolean, fault: string): void => {
    if (!sound) throw new ExchangeRefusal({ kind: 'issued_claims_unsound', fault });
  };
  unless(issued.iss === expected.issuer, 'iss is not ours');
  unless(issued.sub === subject.sub, 'sub is not the person');
  unless(issued.aud === expected.trustDomain, 'aud is not the trust domain');
  unless(issued.txn === (subject.txn ?? subject.jti), 'the transaction lost its name');
  unless(parseScope(issued.scope).isSubsetOf(parseScope(subject.scope)), 'scope grew');
  unless(issued.exp <= subject.exp, 'exp is later than the subject token');
  unless(issued.exp <= expected.nowSeconds + expected.maxLifetimeSeconds, 'exp is beyond the limit');
  unless(issued.jti !== subject.jti, 'jti is not fresh');
  unless(isDeepStrictEqual(issued.act, subject.act), 'the chain changed');
  unless(issued.may_act === undefined && issued.cnf === undefined, 'it is no credential');
  unless(issued.sid === subject.sid && issued.grant_id === subject.grant_id, 'its ties changed');
  unless(
    isDeepStrictEqual(issued.lineage, [...(subject.lineage ?? []), subject.jti]),
    'a token it comes from is missing',
  );
  if (kind !== 'transaction_token') {
    unless(issued.rctx.call_chain.length === 0, 'a call chain out of nothing');
    return;
  }
  unless(
    isDeepStrictEqual(issued.rctx.call_chain, [...subject.rctx.call_chain, subject.req_wl]),
    'the call chain is not the old one and its requester',
  );
  const isKept = Object.entries(subject.tctx).every(([name, value]) => issued.tctx[name] === value);
  unless(isKept, 'what the transaction is about changed');
}
