import { exchangeFixture, issuer, now, subjectClaims, upstreamResource } from './exchange.fixture.js';
import type { ExchangeRefusal } from './exchange-refusal.js';
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

/** Which check stopped it, so that none hides behind another; undefined when none did. */
function faultOf(...claims: Parameters<typeof validateIssuedClaims>): string | undefined {
  try {
    return validateIssuedClaims(...claims) as undefined;
  } catch (error) {
    const { reason } = error as ExchangeRefusal;
    return reason.kind === 'issued_claims_unsound' ? reason.fault : reason.kind;
  }
}

describe('validateIssuedClaims', () => {
  it('passes what the exchange builds', async () => {
    const claims = await soundClaims();
    expect(faultOf(claims, verified, expected)).toBeUndefined();
  });

  it.each<[string, string, Partial<IssuedClaims>]>([
    ['another issuer', 'iss is not ours', { iss: 'https://evil.example' }],
    ['another person', 'sub is not the person', { sub: 'bob' }],
    ['several audiences', 'aud is not the target', { aud: ['a', 'b'] }],
    ['no audience', 'aud is not the target', { aud: [] }],
    ['another audience', 'aud is not the target', { aud: 'https://other.example' }],
    ['more scope', 'scope grew', { scope: 'mcp:tools mail:send' }],
    ['a later expiry than the subject token', 'exp is later than the subject token', { exp: now + 901 }],
    ['a longer life than allowed', 'exp is beyond the limit', { exp: now + 301 }],
    ['a reused jti', 'jti is not fresh', { jti: 'root-jti' }],
    ['another grant', 'the ties to grant and session changed', { grant_id: 'grant-2' }],
    ['no session', 'the ties to grant and session changed', { sid: undefined }],
    ['another chain', 'the chain lost its name', { txn: 'other' }],
    ['no actor', 'the chain is not the old one and the actor', { act: undefined }],
    ['a dropped actor', 'the chain is not the old one and the actor', { act: { sub: 'gateway' } }],
    [
      'a replaced actor',
      'the chain is not the old one and the actor',
      { act: { sub: 'gateway', act: { sub: 'other' } } },
    ],
    [
      'another current actor',
      'the chain is not the old one and the actor',
      { act: { sub: 'other', act: { sub: 'agent' } } },
    ],
    [
      'a swapped order',
      'the chain is not the old one and the actor',
      { act: { sub: 'agent', act: { sub: 'gateway' } } },
    ],
    [
      'a may_act nobody decided on',
      'may_act is not what was decided on',
      { may_act: { sub: 'x', iss: issuer } },
    ],
    ['a cnf nobody proved', 'it is not bound to the keys of the client', { cnf: { jkt: 'x' } }],
    ['a shorter lineage', 'a token it comes from is missing', { lineage: [] }],
    ['a delegation grant nobody gave', 'a delegation grant is missing', { delegations: ['d-1'] }],
    ['a detail of another type', 'details grew', { authorization_details: [{ type: 'other' }] }],
    [
      'a wider detail beside one that is not',
      'details grew',
      {
        authorization_details: [
          { type: 'payment', actions: ['read'] },
          { type: 'payment', actions: ['read', 'delete'] },
        ],
      },
    ],
    ['a detail with its limits left out', 'details grew', { authorization_details: [{ type: 'payment' }] }],
  ])('stops %s: %s', async (_title, fault, change) => {
    const claims = { ...(await soundClaims()), ...change };
    expect(faultOf(claims, verified, expected)).toBe(fault);
  });

  it('RFC 8693 §2.2.1: lets a token live exactly as long as the subject token, and no second longer', async () => {
    const claims = { ...(await soundClaims()), exp: now + 100 };
    const until = (exp: number): SubjectToken => ({ kind: 'access_token', claims: { ...subject, exp } });
    expect(faultOf(claims, until(now + 100), expected)).toBeUndefined();
    expect(faultOf(claims, until(now + 99), expected)).toBe('exp is later than the subject token');
  });

  it('stops a token for no target at all, also where none was expected', async () => {
    const claims = { ...(await soundClaims()), aud: [] };
    expect(faultOf(claims, verified, { ...expected, audiences: [] })).toBe('aud is not the target');
  });

  it('RFC 9396 §9.1: stops details where the subject token has none', async () => {
    const claims = { ...(await soundClaims()), authorization_details: [{ type: 'payment' }] };
    const none: SubjectToken = {
      kind: 'access_token',
      claims: { ...subject, authorization_details: undefined },
    };
    expect(faultOf(claims, none, expected)).toBe('details grew');
    expect(faultOf({ ...claims, authorization_details: undefined }, none, expected)).toBeUndefined();
  });

  it('keeps what is older than the subject token: its lineage, its grants, and the name of the chain', async () => {
    const older = { ...subject, lineage: ['first'], delegations: ['d-0'], txn: undefined };
    const grown = {
      ...(await soundClaims()),
      lineage: ['first', 'root-jti'],
      delegations: ['d-0'],
      txn: 'root-jti',
    };
    const from: SubjectToken = { kind: 'access_token', claims: older };
    expect(faultOf(grown, from, expected)).toBeUndefined();
    expect(faultOf({ ...grown, lineage: ['root-jti'] }, from, expected)).toBe(
      'a token it comes from is missing',
    );
    expect(faultOf({ ...grown, delegations: undefined }, from, expected)).toBe(
      'a delegation grant is missing',
    );
    expect(faultOf({ ...grown, txn: 'txn-1' }, from, expected)).toBe('the chain lost its name');
  });

  it('takes an ID token for what somebody delegated, and for nothing else', async () => {
    const { authorization_details: _none, ...claims } = await soundClaims();
    const idToken: SubjectToken = { kind: 'id_token', claims: { ...subject, scope: '' } };
    expect(faultOf(claims, idToken, expected)).toBe('scope grew');
    const delegated = { ...claims, scope: 'mcp:tools', exp: now + 100, delegations: ['d-1'] };
    expect(faultOf(delegated, idToken, { ...expected, delegations: [delegation] })).toBeUndefined();
    // What was delegated stands in for the scope of an ID token alone.
    const unscoped: SubjectToken = { kind: 'access_token', claims: { ...subject, scope: '' } };
    expect(faultOf(delegated, unscoped, { ...expected, delegations: [delegation] })).toBe('scope grew');
  });

  it('RFC 8693 §1.1: lets an impersonation name nobody, and lose no chain and no may_act', async () => {
    const { act: _nobody, ...claims } = await soundClaims();
    const plain: SubjectToken = { kind: 'access_token', claims: { ...subject, act: undefined } };
    const unnamed = { ...expected, actorSub: undefined };
    const fault = 'the chain is not the old one and the actor';
    expect(faultOf(claims, plain, unnamed)).toBeUndefined();
    expect(faultOf({ ...claims, act: { sub: 'gateway' } }, plain, unnamed)).toBe(fault);
    expect(faultOf(claims, verified, unnamed)).toBe(fault);
    const named: SubjectToken = { kind: 'access_token', claims: { ...plain.claims, may_act: { sub: 'x' } } };
    expect(faultOf(claims, named, unnamed)).toBe(fault);
  });

  it.each<[string, string, Partial<IssuedClaims>]>([
    ['scope', 'scope is not delegated', { scope: 'mcp:tools files:write' }],
    [
      'details',
      'details are not delegated',
      { authorization_details: [{ type: 'payment', actions: ['pay'] }] },
    ],
    ['life', 'exp is later than the delegation grant', { exp: now + 101 }],
    ['all but the grant itself', 'a delegation grant is missing', { delegations: undefined }],
    ['another grant in its place', 'a delegation grant is missing', { delegations: ['d-2'] }],
  ])('holds %s against the delegation grant: %s', async (_title, fault, change) => {
    const delegated: IssuedClaims = {
      ...(await soundClaims()),
      scope: 'mcp:tools',
      exp: now + 100,
      authorization_details: [{ type: 'payment', actions: ['read'] }],
      delegations: ['d-1'],
    };
    const under = { ...expected, delegations: [delegation] };
    expect(faultOf(delegated, verified, under)).toBeUndefined();
    expect(faultOf({ ...delegated, ...change }, verified, under)).toBe(fault);
  });

  it('stops a token that is bound to nothing, or to another key than was proven', async () => {
    const bound: SubjectToken = { kind: 'access_token', claims: { ...subject, cnf: { jkt: 'x' } } };
    const claims = await soundClaims();
    expect(faultOf(claims, bound, expected)).toBe('it is no longer bound to a key');
    const under = { ...expected, proof: { jkt: 'mine' } };
    expect(faultOf({ ...claims, cnf: { jkt: 'x' } }, bound, under)).toBe(
      'it is not bound to the keys of the client',
    );
    expect(faultOf({ ...claims, cnf: { jkt: 'mine' } }, bound, under)).toBeUndefined();
  });
});
