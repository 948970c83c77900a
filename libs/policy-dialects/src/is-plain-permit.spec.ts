import { isPlainPermit } from './is-plain-permit.js';

it.each([
  [{ decision: true }, true],
  [{ decision: true, context: { obligations: [] } }, true],
  [{ decision: false }, false],
  [{ decision: true, context: { preview: true } }, false],
  [
    { decision: true, context: { obligations: [{ id: 'r', type: 'redact' as const, properties: {} }] } },
    false,
  ],
])('%j is a permit that can be enforced by saying yes: %s', (answer, isPermit) => {
  expect(isPlainPermit(answer)).toBe(isPermit);
});
