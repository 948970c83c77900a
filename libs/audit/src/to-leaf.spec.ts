import { canonicalJson } from '@behalf/i-json';
import fc from 'fast-check';
import { type AuditRecord, auditRecordSchema } from './audit-record.js';
import { toLeaf } from './to-leaf.js';

const odd = fc.constantFrom<unknown>(
  undefined,
  null,
  NaN,
  1n,
  '',
  'lone \ud800',
  0.5,
  2 ** 53,
  [],
  ['a', 1],
  {},
  () => 1,
  new Map(),
  new Date(0),
  Object.create({ inherited: 1 }),
);
const mostly = <T>(usual: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: odd });
const named = (value: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.constantFrom('a', 'constructor', '__proto__', '\ud800'), value, { noNullPrototype: true });
const record = fc.record(
  {
    type: mostly(fc.constant('decision')),
    outcome: mostly(fc.constantFrom('allowed', 'refused')),
    occurredAtMs: mostly(fc.nat()),
    person: mostly(fc.string({ unit: 'grapheme' })),
    client: mostly(fc.string()),
    actors: mostly(fc.array(fc.string(), { maxLength: 2 })),
    decisionId: mostly(fc.string()),
    traceId: mostly(fc.string()),
    details: fc.oneof(
      { weight: 9, arbitrary: named(fc.jsonValue({ maxDepth: 2 })) },
      { weight: 1, arbitrary: fc.oneof(odd, named(odd)) },
    ),
    unknown: odd,
  },
  { requiredKeys: ['type', 'outcome', 'occurredAtMs', 'details'], noNullPrototype: true },
);

const outcomeOf = (make: () => string): string => {
  try {
    return make();
  } catch (error) {
    return (error as Error).name;
  }
};

it('makes the leaf that the schema makes, and refuses what the schema refuses', () => {
  const seen = { made: 0, refused: 0 };
  fc.assert(
    fc.property(record, (given) => {
      const bySchema = outcomeOf(() => canonicalJson(auditRecordSchema.parse(given)));
      seen[bySchema.startsWith('{') ? 'made' : 'refused']++;
      expect(outcomeOf(() => toLeaf(given as AuditRecord))).toBe(bySchema);
    }),
    { numRuns: 600 },
  );
  expect(Math.min(seen.made, seen.refused)).toBeGreaterThan(30);
});

it('refuses a record that lacks what every record has', () => {
  for (const name of ['type', 'outcome', 'occurredAtMs'])
    expect(
      outcomeOf(() => toLeaf({ type: 'a', outcome: 'allowed', occurredAtMs: 1, [name]: undefined } as never)),
    ).toBe('ZodError');
});
