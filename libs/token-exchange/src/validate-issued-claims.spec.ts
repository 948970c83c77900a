import { exchangeFixture, issuer, now, subjectClaims } from './exchange.fixture.js';
import type { IssuedClaims } from './issued-token-claims.js';
import { validateIssuedClaims } from './validate-issued-claims.js';

const subject = subjectClaims({ act: { sub: 'agent' } });
const expected = { issuer, maxLifetimeSeconds: 300, nowSeconds: now, actorSub: 'gateway' };

async function soundClaims(): Promise<IssuedClaims> {
  const { typ: _typ, ...claims } = await exchangeFixture({ subject }).issued();
  return claims as unknown as IssuedClaims;
}

describe('validateIssuedClaims', () => {
  it('passes what the exchange builds', async () => {
    const claims = await soundClaims();
    expect(() => validateIssuedClaims(claims, subject, expected)).not.toThrow();
  });

  it.each<[string, Partial<IssuedClaims>]>([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another person', { sub: 'bob' }],
    ['several audiences', { aud: ['a', 'b'] as unknown as string }],
    ['more scope', { scope: 'mcp:tools mail:send' }],
    ['a later expiry than the subject token', { exp: now + 901 }],
    ['a longer life than allowed', { exp: now + 301 }],
    ['a reused jti', { jti: 'root-jti' }],
    ['another grant', { grant_id: 'grant-2' }],
    ['no session', { sid: undefined }],
    ['another chain', { txn: 'other' }],
    ['a dropped actor', { act: { sub: 'gateway' } }],
    ['a replaced actor', { act: { sub: 'gateway', act: { sub: 'other' } } }],
    ['a swapped order', { act: { sub: 'agent', act: { sub: 'gateway' } } }],
    ['a may_act nobody decided on', { may_act: { sub: 'x' } }],
    ['a cnf nobody proved', { cnf: { jkt: 'x' } }],
  ])('stops %s', async (_title, change) => {
    const claims = { ...(await soundClaims()), ...change };
    expect(() => validateIssuedClaims(claims, subject, expected)).toThrow('issued_claims_unsound');
  });
});
