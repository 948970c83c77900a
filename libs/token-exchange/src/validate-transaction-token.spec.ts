import { tokenTypes } from '@behalf/oauth';
import { clientWith, exchangeFixture, issuer, now, subjectClaims, trustDomain } from './exchange.fixture.js';
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

const changes: [string, Partial<TransactionTokenClaims>][] = [
  ['another issuer', { iss: 'https://evil.example' }],
  ['another person', { sub: 'bob' }],
  ['another trust domain', { aud: 'other.example' }],
  ['another transaction', { txn: 'other' }],
  ['more scope', { scope: 'mcp:tools mail:send' }],
  ['a later expiry than before', { exp: now + 901 }],
  ['a longer life than allowed', { exp: now + 31 }],
  ['a dropped chain', { act: undefined }],
  ['a longer chain', { act: { sub: 'gateway', act: { sub: 'agent' } } }],
  ['a may_act', { may_act: { sub: 'x' } }],
  ['a cnf', { cnf: { jkt: 'x' } }],
  ['another session', { sid: 'other' }],
  ['another grant', { grant_id: 'other' }],
  ['a shorter lineage', { lineage: [] }],
  ['an invented call chain', { rctx: { call_chain: ['x'] } }],
];

describe('validateTransactionToken', () => {
  it('passes what is built', async () => {
    const claims = await first();
    expect(() =>
      validateTransactionToken(claims, { kind: 'access_token', claims: subject }, expected),
    ).not.toThrow();
    const [after, before] = await replacement();
    expect(() => validateTransactionToken(after, before, expected)).not.toThrow();
  });

  it.each([...changes, ['a reused jti', { jti: 'root-jti' }] as const])(
    'stops a first one with %s',
    async (_title, change) => {
      const claims = { ...(await first()), ...change };
      expect(() =>
        validateTransactionToken(claims, { kind: 'access_token', claims: subject }, expected),
      ).toThrow('issued_claims_unsound');
    },
  );

  it.each([
    ...changes,
    ['another tool', { tctx: { tool: 'delete_file' } }] as const,
    ['no tool', { tctx: {} }] as const,
  ])('stops one in the place of another with %s', async (_title, change) => {
    const [after, before] = await replacement();
    expect(() => validateTransactionToken({ ...after, ...change }, before, expected)).toThrow(
      'issued_claims_unsound',
    );
  });

  it('lets the first token of a chain name the transaction', async () => {
    const { txn: _none, ...unnamed } = subject;
    const claims = { ...(await first()), txn: 'root-jti' };
    expect(() =>
      validateTransactionToken(claims, { kind: 'access_token', claims: unnamed }, expected),
    ).not.toThrow();
  });
});
