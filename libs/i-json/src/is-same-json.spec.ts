import fc from 'fast-check';
import { canonicalJson, isSameJson } from './index.js';

describe('isSameJson', () => {
  it('finds two values to be the same exactly when they have one spelling', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 2 },
        fc.constantFrom(null, true, 0, 1, '', 'a', '1'),
        fc.array(tie('any'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom('a', '0', 'constructor', '__proto__'), tie('any'), {
          noNullPrototype: true,
        }),
      ),
    })).any;
    fc.assert(
      fc.property(value, value, (one, other) => {
        expect(isSameJson(one, other)).toBe(canonicalJson(one) === canonicalJson(other));
        expect(isSameJson(one, structuredClone(one))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [[], {}],
    [{ a: undefined }, {}],
    [{ toString: 1 }, {}],
    [[1], { 0: 1, length: 1 }],
    [null, {}],
  ])('tells %j from %j', (one, other) => {
    expect([isSameJson(one, other), isSameJson(other, one)]).toEqual([false, false]);
  });
});
