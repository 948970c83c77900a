import { exchangeFixture, issuer, now, subjectClaims, upstreamResource } from './exchange.fixture.js';
import type { IssuedClaims } from './issued-token-claims.js';
import type { DelegationGrant, SubjectToken } from './ports.js';
import { validateIssuedClaims } from './validate-issued-claims.js';

const subject = subjectClaims({
  act: { sub: 'agent' },
  authorization_details: [{ type: 'payment', actions: ['read', 'pay'] }],
});
const verified: SubjectToken = { kind: 'access_token', claims: subject };
const expected = {
  issuer,
  maxLifetimeSeconds: 300,
  nowSeconds: now,
  actorSub: 'gateway',
  audiences: [upstreamResource],
  proof: undefined,
  mayAct: undefined,
  delegations: [],
};
const delegation: DelegationGrant = {
  id: 'd-1',
  scopes: ['mcp:tools'],
  authorizationDetails: [{ type: 'payment', actions: ['read'] }],
  expiresAtSeconds: now + 100,
};

async function soundClaims(): Promise<IssuedClaims> {
  const { typ: _typ, ...claims } = await exchangeFixture({ subject }).issued();
  return claims as unknown as IssuedClaims;
}

describe('validateIssuedClaims', () => {
  it('passes what the exchange builds', async () => {
    const claims = await soundClaims();
    expect(() => validateIssuedClaims(claims, verified, expected)).not.toThrow();
  });

  it.each<[string, Partial<IssuedClaims>]>([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another person', { sub: 'bob' }],
    ['several audiences', { aud: ['a', 'b'] }],
    ['no audience', { aud: [] }],
    ['another audience', { aud: 'https://other.example' }],
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
    ['a may_act nobody decided on', { may_act: { sub: 'x', iss: issuer } }],
    ['a cnf nobody proved', { cnf: { jkt: 'x' } }],
    ['a shorter lineage', { lineage: [] }],
    ['a delegation grant nobody gave', { delegations: ['d-1'] }],
    ['a detail of another type', { authorization_details: [{ type: 'other' }] }],
    ['a wider detail', { authorization_details: [{ type: 'payment', actions: ['read', 'delete'] }] }],
    ['a detail with its limits left out', { authorization_details: [{ type: 'payment' }] }],
  ])('stops %s', async (_title, change) => {
    const claims = { ...(await soundClaims()), ...change };
    expect(() => validateIssuedClaims(claims, verified, expected)).toThrow('issued_claims_unsound');
  });

  it.each<[string, Partial<IssuedClaims>]>([
    ['scope', { scope: 'mcp:tools files:write' }],
    ['details', { authorization_details: [{ type: 'payment', actions: ['pay'] }] }],
    ['life', { exp: now + 101 }],
    ['all but the grant itself', { delegations: undefined }],
  ])('holds %s against the delegation grant', async (_title, change) => {
    const delegated: IssuedClaims = {
      ...(await soundClaims()),
      scope: 'mcp:tools',
      exp: now + 100,
      authorization_details: [{ type: 'payment', actions: ['read'] }],
      delegations: ['d-1'],
    };
    const under = { ...expected, delegations: [delegation] };
    expect(() => validateIssuedClaims(delegated, verified, under)).not.toThrow();
    expect(() => validateIssuedClaims({ ...delegated, ...change }, verified, under)).toThrow(
      'issued_claims_unsound',
    );
  });

  it('stops a token that is bound to nothing, or to another key than was proven', async () => {
    const bound: SubjectToken = { kind: 'access_token', claims: { ...subject, cnf: { jkt: 'x' } } };
    const claims = await soundClaims();
    expect(() => validateIssuedClaims(claims, bound, expected)).toThrow('issued_claims_unsound');
    const under = { ...expected, proof: { jkt: 'mine' } };
    expect(() => validateIssuedClaims({ ...claims, cnf: { jkt: 'x' } }, bound, under)).toThrow(
      'issued_claims_unsound',
    );
    expect(() => validateIssuedClaims({ ...claims, cnf: { jkt: 'mine' } }, bound, under)).not.toThrow();
  });
});
