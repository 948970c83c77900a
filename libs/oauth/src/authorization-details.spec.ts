import fc from 'fast-check';
import {
  type AuthorizationDetail,
  OAuthError,
  confirmationSchema,
  intersectAuthorizationDetail,
  intersectAuthorizationDetails,
  isProvenBy,
  isWithinDetails,
  parseAuthorizationDetails,
} from './index.js';

const set = fc.option(fc.subarray(['a', 'b', 'c'], { minLength: 1 }), { nil: undefined });
const detail: fc.Arbitrary<AuthorizationDetail> = fc
  .record({
    type: fc.constantFrom('payment', 'files'),
    actions: set,
    locations: set,
    limit: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
  })
  .map((members) => JSON.parse(JSON.stringify(members)) as AuthorizationDetail);

describe('authorization details', () => {
  it('RFC 9396: what two details allow both is within each of them, whichever is taken first', () => {
    fc.assert(
      fc.property(detail, detail, (one, other) => {
        const both = intersectAuthorizationDetail(one, other);
        expect(both === undefined).toBe(intersectAuthorizationDetail(other, one) === undefined);
        if (!both) return;
        expect(isWithinDetails(both, [one])).toBe(true);
        expect(isWithinDetails(both, [other])).toBe(true);
      }),
    );
  });

  it('never widens by intersecting lists', () => {
    const list = fc.array(detail, { maxLength: 4 });
    fc.assert(
      fc.property(list, list, (one, other) => {
        for (const both of intersectAuthorizationDetails(one, other)) {
          expect(isWithinDetails(both, one) && isWithinDetails(both, other)).toBe(true);
        }
        for (const each of one) expect(isWithinDetails(each, one)).toBe(true);
      }),
    );
  });

  it.each<[string, AuthorizationDetail]>([
    ['another type', { type: 'files', actions: ['read'] }],
    ['one action more', { type: 'payment', actions: ['read', 'pay'] }],
    ['an action in another case', { type: 'payment', actions: ['READ'] }],
    ['no actions at all, which may mean all', { type: 'payment' }],
    ['a member besides', { type: 'payment', actions: ['read'], privileges: ['admin'] }],
    ['another limit', { type: 'payment', actions: ['read'], limit: 2 }],
  ])('takes %s for more', (_title, asked) => {
    expect(isWithinDetails(asked, [{ type: 'payment', actions: ['read'] }])).toBe(false);
  });

  it('cannot be confused by member names that objects have anyway', () => {
    const odd = JSON.parse('{"type":"t","__proto__":{"admin":true}}') as AuthorizationDetail;
    expect(isWithinDetails(odd, [{ type: 't', toString: 'x' }])).toBe(false);
    expect(isWithinDetails(odd, [{ type: 't' }])).toBe(false);
    const both = intersectAuthorizationDetail(odd, structuredClone(odd));
    expect((both as { admin?: boolean } | undefined)?.admin).toBeUndefined();
  });

  it.each([
    '{}',
    '[]',
    '[{}]',
    '[{"type":""}]',
    '[{"type":"t","actions":[]}]',
    '[{"type":"t","actions":"all"}]',
    '[1]',
    'x',
    `[{"type":"t","pad":"${'x'.repeat(16 * 1024)}"}]`,
  ])('RFC 9396 §5: refuses %.30s', (text) => {
    expect(() => parseAuthorizationDetails(text)).toThrow(OAuthError);
  });

  it('reads what is well formed, with members of its own', () => {
    const text = '[{"type":"t","actions":["a"],"limit":{"max":1}}]';
    expect(parseAuthorizationDetails(text)).toEqual(JSON.parse(text));
  });
});

describe('the cnf claim', () => {
  it('RFC 9449 §6.1, RFC 8705 §3.1: is a thumbprint of a key, a certificate, or both', () => {
    for (const cnf of [{ jkt: 'k' }, { 'x5t#S256': 'c' }, { jkt: 'k', 'x5t#S256': 'c' }]) {
      expect(confirmationSchema.safeParse(cnf).success).toBe(true);
    }
  });

  it.each([{}, { jkt: '' }, { jwk: {} }, { jkt: 'k', kid: 'x' }, 'k', null])(
    'RFC 7800 §3.1: %j is not understood, so it is no binding that could be checked',
    (cnf) => expect(confirmationSchema.safeParse(cnf).success).toBe(false),
  );

  it('is proven by every key it names, and by nothing less', () => {
    expect(isProvenBy({ jkt: 'k' }, { jkt: 'k', 'x5t#S256': 'c' })).toBe(true);
    expect(isProvenBy({ 'x5t#S256': 'c' }, { 'x5t#S256': 'c' })).toBe(true);
    expect(isProvenBy({ jkt: 'k', 'x5t#S256': 'c' }, { jkt: 'k' })).toBe(false);
    expect(isProvenBy({ jkt: 'k', 'x5t#S256': 'c' }, { 'x5t#S256': 'c' })).toBe(false);
    expect(isProvenBy({ jkt: 'k' }, { jkt: 'other' })).toBe(false);
    expect(isProvenBy({ jkt: 'k' }, undefined)).toBe(false);
  });
});
