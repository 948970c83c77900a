import fc from 'fast-check';
import { canonicalJson } from './canonical-json.js';

/** RFC 8785 by the letter, for values that JSON can say. */
function byTheLetter(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(byTheLetter).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  members.sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${byTheLetter(member)}`).join()}}`;
}

describe('canonicalJson', () => {
  it('spells a value the one way, in whatever order it came', () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(null, true, 0, -0, 1e21, 0.1, '', 'a"\n', '\u20ac\ud83d\ude00'),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom('a', 'b', 'B', '9', '10', 'toJSON', '__proto__', '\u00e9'),
          fc.option(tie('any'), { nil: undefined }),
          { noNullPrototype: true },
        ),
      ),
    })).any;
    fc.assert(
      fc.property(value, (given) => {
        expect(canonicalJson(given)).toBe(byTheLetter(given));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a number that is none', [NaN]],
    ['infinity', { a: Infinity }],
    ['a lone surrogate', ['\ud800']],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['what was never set', Array(1)],
    ['undefined in a list', [undefined]],
    ['a function', { a: () => 1 }],
    ['a bigint', { a: 1n }],
  ])('refuses %s', (_, value) => {
    expect(() => canonicalJson(value)).toThrow(TypeError);
  });

  it('RFC 8785 §3.2.2.2: writes texts as ECMAScript does, whatever is in them', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom('a', ' ', '~', '"', '\\', '\x1f', '\x7f', 'é', '\u2028', '😀') }),
    );
    fc.assert(fc.property(text, (given) => expect(canonicalJson(given)).toBe(JSON.stringify(given))));
  });
});
