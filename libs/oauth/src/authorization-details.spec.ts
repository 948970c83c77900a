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

/** Details of so many characters. */
const padded = (length: number): string => {
  const [head, tail] = ['[{"type":"t","pad":"', '"}]'];
  return `${head}${'x'.repeat(length - head.length - tail.length)}${tail}`;
};

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

  it('RFC 9396 §2.2: of sets is what is in both, and of sets with nothing in common is nothing', () => {
    const held: AuthorizationDetail = { type: 'payment', actions: ['read', 'pay'], limit: 1 };
    expect(intersectAuthorizationDetail(held, { ...held, actions: ['pay', 'delete'] })).toEqual({
      ...held,
      actions: ['pay'],
    });
    expect(intersectAuthorizationDetail(held, { ...held, actions: ['delete'] })).toBeUndefined();
    expect(intersectAuthorizationDetail(held, { ...held, limit: 2 })).toBeUndefined();
  });

  it('RFC 9396 §2.2: of lists is what any two of their details allow, each once', () => {
    const read = { type: 'payment', actions: ['read'] };
    const pay = { type: 'payment', actions: ['pay'] };
    const held = [{ type: 'payment', actions: ['read', 'pay'] }, { type: 'files' }];
    expect(intersectAuthorizationDetails(held, [read, pay, read, { type: 'other' }])).toEqual([read, pay]);
    expect(intersectAuthorizationDetails(held, [])).toEqual([]);
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
    padded(16 * 1024 + 1),
    JSON.stringify(Array.from({ length: 33 }, () => ({ type: 't' }))),
  ])('RFC 9396 §5: refuses %.30s', (text) => {
    const read = (): unknown => parseAuthorizationDetails(text);
    expect(read).toThrow(OAuthError);
    expect(read).toThrow(
      expect.objectContaining({
        code: 'invalid_authorization_details',
        description: expect.stringMatching(/./) as string,
        cause: expect.objectContaining({ message: expect.stringMatching(/./) as string }) as Error,
      }),
    );
  });

  it.each([
    '[{"type":"t","actions":["a"],"limit":{"max":1}}]',
    '[{"type":"payment","locations":["https://rs.example"],"datatypes":["iban"],"privileges":["admin"]}]',
    padded(16 * 1024),
    JSON.stringify(Array.from({ length: 32 }, () => ({ type: 't' }))),
  ])('reads what is well formed, with members of its own: %.30s', (text) => {
    expect(parseAuthorizationDetails(text)).toEqual(JSON.parse(text));
  });
});

describe('the cnf claim', () => {
  it('RFC 9449 §6.1, RFC 8705 §3.1: is a thumbprint of a key, a certificate, or both', () => {
    const [jkt, certificate] = ['k'.repeat(43), 'c'.repeat(43)];
    for (const cnf of [{ jkt }, { 'x5t#S256': certificate }, { jkt, 'x5t#S256': certificate }]) {
      expect(confirmationSchema.safeParse(cnf).success).toBe(true);
    }
  });

  it.each([{}, { jkt: '' }, { 'x5t#S256': '' }, { jwk: {} }, { jkt: 'k', kid: 'x' }, 'k', null])(
    'RFC 7800 §3.1: %j is not understood, so it is no binding that could be checked',
    (cnf) => expect(confirmationSchema.safeParse(cnf).success).toBe(false),
  );

  it('is proven by every key it names, and by nothing less', () => {
    expect(isProvenBy({ jkt: 'k' }, { jkt: 'k', 'x5t#S256': 'c' })).toBe(true);
    expect(isProvenBy({ 'x5t#S256': 'c' }, { 'x5t#S256': 'c' })).toBe(true);
    expect(isProvenBy({ 'x5t#S256': 'c' }, { jkt: 'k', 'x5t#S256': 'c' })).toBe(true);
    expect(isProvenBy({ jkt: 'k', 'x5t#S256': 'c' }, { jkt: 'k' })).toBe(false);
    expect(isProvenBy({ jkt: 'k', 'x5t#S256': 'c' }, { 'x5t#S256': 'c' })).toBe(false);
    expect(isProvenBy({ jkt: 'k' }, { jkt: 'other' })).toBe(false);
    expect(isProvenBy({ jkt: 'k' }, undefined)).toBe(false);
  });
});
