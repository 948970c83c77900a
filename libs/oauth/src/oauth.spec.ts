import fc from 'fast-check';
import {
  OAuthError,
  ScopeSet,
  actClaimSchema,
  actorChain,
  chainDepth,
  nestActor,
  oauthErrorCodes,
  parseScope,
} from './index.js';

describe('OAuthError', () => {
  it('RFC 6749 §5.2: leaves as error and error_description in the allowed characters', () => {
    expect(new OAuthError('invalid_scope', 'say "\u00fc\\" \n').toJSON()).toEqual({
      error: 'invalid_scope',
      error_description: 'say ???? ?',
    });
  });

  it('has the status of its code unless told otherwise', () => {
    expect(new OAuthError('invalid_token', '').status).toBe(oauthErrorCodes.invalid_token.status);
    expect(new OAuthError('invalid_request', '', { status: 413 }).status).toBe(413);
  });
});

describe('parseScope', () => {
  it('RFC 6749 §3.3: separates by spaces and keeps case', () => {
    expect([...parseScope('a  B a')]).toEqual(['a', 'B']);
    expect(parseScope(undefined).size).toBe(0);
  });

  it.each(['a\tb', 'a\u00a0b', 'a"b', 'a\\b', 'a\u0301', 'a\nb'])('refuses %j', (text) => {
    expect(() => parseScope(text)).toThrow(OAuthError);
  });
});

describe('ScopeSet', () => {
  const set = fc.subarray(['a', 'b', 'c', 'd']).map((values) => new ScopeSet(values));

  it('never widens by intersection, never loses by union', () => {
    fc.assert(
      fc.property(set, set, (one, other) => {
        expect(one.intersect(other).isSubsetOf(one)).toBe(true);
        expect(one.intersect(other).isSubsetOf(other)).toBe(true);
        expect(one.isSubsetOf(one.union(other))).toBe(true);
        expect([...one.without(other)].some((value) => other.has(value))).toBe(false);
        expect(one.without(other).union(one.intersect(other)).size).toBe(one.size);
      }),
    );
  });
});

describe('the act chain', () => {
  const actors = fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 8 });

  it('RFC 8693 §4.1: reads back the actors it was built from, the current one first', () => {
    fc.assert(
      fc.property(actors, (names) => {
        const chain = names.reduce(
          (earlier, sub) => nestActor({ sub }, earlier),
          nestActor({ sub: 'first' }, undefined),
        );
        expect(actorChain(chain).map((actor) => actor.sub)).toEqual([...names].toReversed().concat('first'));
        expect(chainDepth(chain)).toBe(names.length + 1);
      }),
    );
  });

  it.each([{}, { sub: '' }, 'gateway', { sub: 'a', act: 'b' }, { sub: 'a', act: { iss: 'x' } }, []])(
    'refuses %j as an act claim',
    (claim) => {
      expect(actClaimSchema.safeParse(claim).success).toBe(false);
    },
  );
});
