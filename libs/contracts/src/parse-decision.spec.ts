import fc from 'fast-check';
import { parseDecision } from './parse-decision.js';
import { evaluationDecisionSchema } from './policy.js';

const texts = fc.oneof(fc.array(fc.string()), fc.anything());
const context = fc.record(
  {
    id: fc.oneof(fc.string(), fc.anything()),
    reason: fc.oneof(fc.constantFrom('permitted', 'forbidden', 'x'), fc.anything()),
    policies: texts,
    errors: texts,
    policy_version: fc.oneof(fc.string(), fc.anything()),
    decision_grant: fc.oneof(fc.string(), fc.anything()),
    scope: fc.oneof(fc.string(), fc.integer()),
    obligations: fc.oneof(
      fc.constant([{ id: 'a', type: 'redact', properties: { fields: ['x'] } }]),
      fc.constant([{ id: 'a', type: 'unknown', properties: {} }]),
    ),
    preview: fc.boolean(),
    more: fc.anything(),
  },
  { requiredKeys: [] },
);
const answers = fc.oneof(
  fc.record(
    {
      decision: fc.oneof({ arbitrary: fc.boolean(), weight: 9 }, { arbitrary: fc.anything(), weight: 1 }),
      context: fc.oneof({ arbitrary: context, weight: 9 }, { arbitrary: fc.anything(), weight: 1 }),
      more: fc.anything(),
    },
    { requiredKeys: [] },
  ),
  fc.anything(),
);

it('reads decisions as their schema does', () => {
  fc.assert(
    fc.property(answers, (value) => {
      // As they come over the bus.
      const text: string | undefined = JSON.stringify(value, (_name, member: unknown) =>
        typeof member === 'bigint' ? String(member) : member,
      );
      const received: unknown = text === undefined ? undefined : JSON.parse(text);
      const [ours, schemas] = [parseDecision(received), evaluationDecisionSchema.safeParse(received)];
      expect(ours.success).toBe(schemas.success);
      if (schemas.success) expect(ours.data).toEqual(schemas.data);
    }),
    { numRuns: 2_000 },
  );
});
