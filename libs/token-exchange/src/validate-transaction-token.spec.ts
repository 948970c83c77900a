import { tokenTypes } from '@behalf/oauth';
import { clientWith, exchangeFixture, issuer, now, subjectClaims, trustDomain } from './exchange.fixture.js';
import type { ExchangeRefusal } from './exchange-refusal.js';
import type { SubjectToken, TransactionTokenClaims } from './ports.js';
import { validateTransactionToken } from './validate-transaction-token.js';

const workload = clientWith({ audiences: [trustDomain] });
const expected = { issuer, trustDomain, nowSeconds: now, maxLifetimeSeconds: 30 };
const subject = subjectClaims({ act: { sub: 'agent' } });

async function first(): Promise<TransactionTokenClaims> {
  const parameters = {
    requested_token_type: tokenTypes.transactionToken,
    resource: undefined,
    audience: trustDomain,
    request_details: '{"tool":"write_file"}',
  };
  return (await exchangeFixture({ subject }).issued(parameters, workload)) as never;
}

async function replacement(): Promise<[TransactionTokenClaims, SubjectToken]> {
  const before = await first();
  const after: TransactionTokenClaims = {
    ...before,
    jti: 'next',
    req_wl: 'next',
    rctx: { ...before.rctx, call_chain: ['gateway'] },
    lineage: ['root-jti', before.jti],
  };
  return [after, { kind: 'transaction_token', claims: before }];
}

/** Which check stopped it, so that none hides behind another; undefined when none did. */
function faultOf(...claims: Parameters<typeof validateTransactionToken>): string | undefined {
  try {
    return validateTransactionToken(...claims) as undefined;
  } catch (error) {
    const { reason } = error as ExchangeRefusal;
    return reason.kind === 'issued_claims_unsound' ? reason.fault : reason.kind;
  }
}

const changes: [string, string, Partial<TransactionTokenClaims>][] = [
  ['another issuer', 'iss is not ours', { iss: 'https://evil.example' }],
  ['another person', 'sub is not the person', { sub: 'bob' }],
  ['another trust domain', 'aud is not the trust domain', { aud: 'other.example' }],
  ['another transaction', 'the transaction lost its name', { txn: 'other' }],
  ['more scope', 'scope grew', { scope: 'mcp:tools mail:send' }],
  ['a later expiry than before', 'exp is later than the subject token', { exp: now + 901 }],
  ['a dropped chain', 'the chain changed', { act: undefined }],
  ['a longer chain', 'the chain changed', { act: { sub: 'gateway', act: { sub: 'agent' } } }],
  ['a may_act', 'it is no credential', { may_act: { sub: 'x' } }],
  ['a cnf', 'it is no credential', { cnf: { jkt: 'x' } }],
  ['another session', 'its ties changed', { sid: 'other' }],
  ['another grant', 'its ties changed', { grant_id: 'other' }],
  ['a shorter lineage', 'a token it comes from is missing', { lineage: [] }],
];

describe('validateTransactionToken', () => {
  it('passes what is built', async () => {
    const claims = await first();
    expect(faultOf(claims, { kind: 'access_token', claims: subject }, expected)).toBeUndefined();
    const [after, before] = await replacement();
    expect(faultOf(after, before, expected)).toBeUndefined();
  });

  it.each<(typeof changes)[number]>([
    ...changes,
    ['a reused jti', 'jti is not fresh', { jti: 'root-jti' }],
    ['a longer life than allowed', 'exp is beyond the limit', { exp: now + 31 }],
    ['a call chain', 'a call chain out of nothing', { rctx: { call_chain: ['x'] } }],
  ])('stops a first one with %s: %s', async (_title, fault, change) => {
    const claims = { ...(await first()), ...change };
    expect(faultOf(claims, { kind: 'access_token', claims: subject }, expected)).toBe(fault);
  });

  const requesters = 'the call chain is not the old one and its requester';
  it.each<(typeof changes)[number]>([
    ...changes,
    ['another tool', 'what the transaction is about changed', { tctx: { tool: 'delete_file' } }],
    ['no tool', 'what the transaction is about changed', { tctx: {} }],
    ['an invented call chain', requesters, { rctx: { call_chain: ['x'] } }],
    ['no call chain', requesters, { rctx: { call_chain: [] } }],
  ])('stops one in the place of another with %s: %s', async (_title, fault, change) => {
    const [after, before] = await replacement();
    expect(faultOf({ ...after, ...change }, before, expected)).toBe(fault);
  });

  it('lets one in the place of another live exactly as long, say more, and lose nothing that was said', async () => {
    const [after, before] = await replacement();
    expect(faultOf({ ...after, exp: before.claims.exp + 1 }, before, expected)).toBe(
      'exp is later than the subject token',
    );
    const two: SubjectToken = {
      kind: 'transaction_token',
      claims: { ...(before.claims as TransactionTokenClaims), tctx: { server: 'files', tool: 'write_file' } },
    };
    expect(
      faultOf({ ...after, tctx: { ...two.claims.tctx, intent: 'tidy up' } }, two, expected),
    ).toBeUndefined();
    expect(faultOf({ ...after, tctx: { server: 'files' } }, two, expected)).toBe(
      'what the transaction is about changed',
    );
  });

  it('keeps the lineage and the call chain that were there', async () => {
    const [after, before] = await replacement();
    const older: SubjectToken = {
      kind: 'transaction_token',
      claims: {
        ...(before.claims as TransactionTokenClaims),
        rctx: { call_chain: ['first'] },
      },
    };
    const grown = { ...after, rctx: { call_chain: ['first', 'gateway'] } };
    expect(faultOf(grown, older, expected)).toBeUndefined();
    expect(faultOf(after, older, expected)).toBe(requesters);
  });

  it('lets the first token of a chain name the transaction', async () => {
    const { txn: _none, ...unnamed } = subject;
    const claims = { ...(await first()), txn: 'root-jti' };
    expect(faultOf(claims, { kind: 'access_token', claims: unnamed }, expected)).toBeUndefined();
  });
});
