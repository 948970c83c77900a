import fc from 'fast-check';
import { type IJsonError, parseIJson } from './parse-i-json.js';

const limits = { maxBytes: 1000, maxDepth: 5 };
const parse = (text: string | Uint8Array, given = limits): unknown =>
  parseIJson(Buffer.from(text as string), given);

function problemOf(text: string | Uint8Array, given = limits): string {
  try {
    parse(text, given);
    return 'accepted';
  } catch (error) {
    return (error as IJsonError).problem;
  }
}

describe('parseIJson', () => {
  it('reads what JSON.parse reads, whatever the value', () => {
    const value = fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' });
    fc.assert(
      fc.property(value, (given) => {
        const text = JSON.stringify(given);
        fc.pre(problemOf(text, { maxBytes: 1e6, maxDepth: 50 }) !== 'unsafe_number');
        expect(parse(text, { maxBytes: 1e6, maxDepth: 50 })).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    '',
    ' ',
    '{',
    '{"a":1,}',
    '[1,]',
    '// x\n1',
    '/**/1',
    "{'a':1}",
    '01',
    '1 2',
    'NaN',
    '+1',
    '{"a" 1}',
    '\ufeff{}',
    '"\t"',
  ])('refuses what is not JSON: %j', (text) => {
    expect(problemOf(text)).toBe('not_json');
  });

  it('refuses a key that comes twice, also when it is spelled another way', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '[{"b":{"a":1,"c":2,"a":3}}]',
      '{"__proto__":1,"__proto__":2}',
      // Colons, quotes and backslashes that are part of names and values.
      '{"a:":":","a:":1}',
      String.raw`{"a\"":1,"a\"":2}`,
      String.raw`{"a":"\\","a":":"}`,
      '{"a":{"a":1},"a":{"b":1,"c":2}}',
    ]) {
      expect(problemOf(text)).toBe('duplicate_key');
    }
    expect(parse('{"a":{"a":1},"b":[{"a":1},{"a":2}]}')).toEqual({ a: { a: 1 }, b: [{ a: 1 }, { a: 2 }] });
  });

  it('refuses an object exactly when two of its names are the same, whatever they hold', () => {
    const name = fc.string({ unit: fc.constantFrom(':', '"', '\\', '{', 'a'), maxLength: 3 });
    const value = fc.oneof(name, fc.constant(1), fc.constant([':', { a: '}' }]));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (members) => {
        const spelled = members.map(([one, held]) => `${JSON.stringify(one)}: ${JSON.stringify(held)}`);
        const isRepeated = new Set(members.map(([one]) => one)).size < members.length;
        expect(problemOf(`[{${spelled.join()}}]`)).toBe(isRepeated ? 'duplicate_key' : 'accepted');
      }),
    );
  });

  it('makes __proto__ a key like any other', () => {
    const parsed = parse('{"__proto__":{"admin":true}}') as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual(['__proto__']);
    expect(parsed['admin']).toBeUndefined();
  });

  it('refuses integers that a double cannot hold, and numbers that overflow', () => {
    for (const text of [
      '9007199254740993',
      '-9007199254740992',
      '1e21',
      '1e400',
      '[1,{"a":12345678901234567890}]',
    ]) {
      expect(problemOf(text)).toBe('unsafe_number');
    }
    expect(parse('[9007199254740991,-9007199254740991,0.1,1e2]')).toEqual([
      9007199254740991, -9007199254740991, 0.1, 100,
    ]);
  });

  it('refuses lone surrogates in values and in keys', () => {
    for (const text of ['"\\ud800"', '{"\\udc00":1}', '["a\\ud83dz"]'])
      expect(problemOf(text)).toBe('lone_surrogate');
    expect(parse('"\\ud83d\\ude00"')).toBe('\u{1f600}');
  });

  it('refuses bytes that are not UTF-8', () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0xaf, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
      [0xff, 0xfe, 0x31, 0x00],
    ]) {
      expect(problemOf(Uint8Array.from(bytes))).toBe('not_utf8');
    }
  });

  it('refuses a body over its size, and one nested over its depth, without running out of stack', () => {
    expect(problemOf(`"${'a'.repeat(998)}"`)).toBe('accepted');
    expect(problemOf(`"${'a'.repeat(999)}"`)).toBe('too_large');
    expect(problemOf('[[[[[]]]]]')).toBe('accepted');
    expect(problemOf('[[[[[[]]]]]]')).toBe('too_deep');
    const bottomless = { maxBytes: 1e7, maxDepth: 5 };
    expect(problemOf('['.repeat(1e6), bottomless)).toBe('too_deep');
    expect(problemOf('{"a":'.repeat(1e6), bottomless)).toBe('too_deep');
  });
});
