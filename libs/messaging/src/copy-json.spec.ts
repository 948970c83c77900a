import fc from 'fast-check';
import { copyJson } from './copy-json.js';

const throughText = (value: unknown): unknown => {
  const text: string | undefined = JSON.stringify(value);
  return text === undefined ? undefined : JSON.parse(text);
};
const anything = fc.anything({
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withBoxedValues: true,
  withSparseArray: true,
  withTypedArray: true,
});

describe('copyJson', () => {
  it('gives what writing and parsing would', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(copyJson(value)).toStrictEqual(throughText(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each<[string, unknown]>([
    ['a member that is called __proto__', JSON.parse('{"__proto__":{"admin":true},"a":1}')],
    ['what is inherited', Object.create({ admin: true })],
    ['what has a spelling of its own', { at: new Date(0), a: [{ toJSON: () => 'x' }] }],
    ['a list with a spelling of its own', Object.assign([1], { toJSON: () => 'x' })],
    ['functions and symbols', { a: () => 1, b: Symbol('b'), c: [() => 1, undefined] }],
    ['a function', () => 1],
    ['negative zero and what is no number', { a: -0, b: [NaN, Infinity] }],
    ['a hole', Object.assign([], { 1: 1 })],
  ])('treats as JSON does: %s', (_title, value) => {
    const copy = copyJson(value);
    expect(copy).toStrictEqual(throughText(value));
    expect((copy as { admin?: unknown } | undefined)?.admin).toBeUndefined();
    if (typeof copy === 'object') expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
  });

  it('shares nothing with the value', () => {
    const value = { list: [{ a: 1 }], record: { b: 1 } };
    const copy = copyJson(value) as typeof value;
    value.list.push({ a: 2 });
    value.record.b = 2;
    expect(copy).toEqual({ list: [{ a: 1 }], record: { b: 1 } });
  });

  it('refuses what JSON refuses', () => {
    expect(() => copyJson({ a: 1n })).toThrow(TypeError);
  });
});
