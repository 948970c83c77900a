import * as fc from 'fast-check';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { toCedarValue } from './to-cedar-value.js';

const convert = (value: unknown) => toCedarValue(value, 'context.arguments');
const decimal = (arg: string) => ({ __extn: { fn: 'decimal', arg } });

describe('toCedarValue', () => {
  it.each([
    [true, true],
    ['text', 'text'],
    [42, 42],
    [-0, 0],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [1.5, decimal('1.5')],
    [-0.0001, decimal('-0.0001')],
    [
      { path: 'a', deep: { count: 1, none: null } },
      { path: 'a', deep: { count: 1 } },
    ],
    [
      [1, null, 'b'],
      [1, 'b'],
    ],
    [null, undefined],
  ])('reads %j as %j', (json, cedar) => {
    expect(convert(json)).toEqual(cedar);
  });

  it.each([
    ['more than four digits after the point', 0.00001],
    ['an exponent', 1e300],
    ['an integer that a double cannot hold', 2 ** 53],
    ['infinity', Infinity],
    ['not a number', NaN],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a name', { ['\udfff']: 1 }],
    ['an entity in disguise', { __entity: { type: 'Team', id: 'eng' } }],
    ['an extension value in disguise', { deep: [{ __extn: { fn: 'decimal', arg: '1.0' } }] }],
    ['an expression in disguise', { __expr: 'true' }],
    ['a function', () => 1],
    ['a bigint', 1n],
  ])('refuses %s', (_, json) => {
    expect(() => convert(json)).toThrow(InvalidEvaluation);
  });

  it('refuses what is nested too deeply before its own stack runs out', () => {
    const root: Record<string, unknown> = {};
    let leaf = root;
    for (let depth = 0; depth < 100_000; depth++) leaf = leaf['a'] = {};
    expect(() => convert(root)).toThrow(InvalidEvaluation);
  });

  it('keeps prototype names as ordinary names', () => {
    const record = convert(JSON.parse('{"__proto__":{"admin":true},"constructor":1}')) as object;
    expect(Object.keys(record)).toEqual(['__proto__', 'constructor']);
    expect((record as { admin?: boolean }).admin).toBeUndefined();
  });

  it('never changes the value of a number it accepts', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double(),
          fc.integer(),
          fc.integer().map((n) => n / 10_000),
        ),
        (number) => {
          let cedar: unknown;
          try {
            cedar = convert(number);
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidEvaluation);
            return;
          }
          const text =
            typeof cedar === 'number' ? String(cedar) : (cedar as ReturnType<typeof decimal>).__extn.arg;
          expect(Number(text) === number).toBe(true);
        },
      ),
    );
  });
});
