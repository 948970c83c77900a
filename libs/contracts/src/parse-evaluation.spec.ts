import fc from 'fast-check';
import { evaluationSchema, parseEvaluation, parseEvaluationPart } from './index.js';

const text = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom('user', 'tools/call') },
  { weight: 1, arbitrary: fc.constant('') },
);
const odd = fc.constantFrom<unknown>(
  undefined,
  null,
  NaN,
  1n,
  '',
  7,
  [],
  {},
  () => 1,
  new Map(),
  new Date(0),
);
const named = <T>(value: fc.Arbitrary<T>) =>
  fc.dictionary(fc.constantFrom('a', 'type', 'constructor', '__proto__'), value, { noNullPrototype: true });
const properties = fc.option(fc.oneof(named(fc.jsonValue({ maxDepth: 1 })), named(odd), odd), {
  nil: undefined,
});
const part = fc.oneof(
  { weight: 5, arbitrary: fc.record({ type: text, id: text, name: text, properties, x: odd }) },
  fc.record({ type: fc.oneof(text, odd), id: text, name: fc.oneof(text, odd) }, { requiredKeys: [] }),
  odd,
);
const given = fc.oneof(
  { weight: 9, arbitrary: fc.record({ subject: part, action: part, resource: part, context: properties }) },
  { weight: 1, arbitrary: odd },
);

describe('parseEvaluation', () => {
  it('answers what the schema does, whatever it is given', () => {
    let accepted = 0;
    fc.assert(
      fc.property(given, (value) => {
        const parsed = parseEvaluation(value);
        accepted += Number(parsed.success);
        expect(plain(parsed)).toEqual(plain(evaluationSchema.safeParse(value)));
      }),
      { numRuns: 500 },
    );
    expect(accepted).toBeGreaterThan(2);
  });

  it('answers what the schema does for every part by itself', () => {
    const parts = fc.constantFrom('subject', 'action', 'resource', 'context');
    fc.assert(
      fc.property(parts, fc.oneof(part, properties), (name, value) => {
        const bySchema = evaluationSchema.shape[name].safeParse(value);
        expect(plain(parseEvaluationPart(name, value))).toEqual(plain(bySchema));
      }),
      { numRuns: 300 },
    );
  });
});

/** Faults by their places; own names, `__proto__` included. */
function plain({ success, data, error }: { success: boolean; data?: unknown; error?: { issues: unknown } }) {
  return { success, data: success ? JSON.stringify(data, sorted) : undefined, issues: error?.issues };
}

function sorted(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));
}
