import { type Call, findAnomalies } from './one-time-history.fixture.js';

const put: Call = { verb: 'put', invokedAt: 0, returnedAt: 1, outcome: 'done' };
const take = (invokedAt: number, returnedAt: number, outcome: Call['outcome'] = 'done'): Call => ({
  verb: 'take',
  invokedAt,
  returnedAt,
  outcome,
});

describe('the check of a history', () => {
  it.each<[string, Call[], { invokedAt: number; returnedAt: number }[]]>([
    ['one use, and refusals after it', [take(2, 3), take(4, 5, 'not'), take(6, 7, 'not')], []],
    ['one use, and a refusal at the same time', [take(2, 6), take(3, 4, 'not')], []],
    ['a use that nobody heard of', [take(2, 3, 'unknown'), take(4, 5, 'not')], []],
    ['forgotten', [take(6, 7, 'not'), take(8, 9, 'not')], [{ invokedAt: 4, returnedAt: 5 }]],
    ['claimed and taken once each', [take(2, 3), { ...take(2, 3), verb: 'claim' }], []],
  ])('finds nothing in: %s', (_title, calls, faults) => {
    expect(findAnomalies([put, ...calls], faults)).toEqual([]);
  });

  it.each<[string, Call[], { invokedAt: number; returnedAt: number }[]]>([
    ['two uses', [take(2, 3), take(4, 5)], []],
    ['two uses at the same time', [take(2, 5), take(3, 4)], []],
    ['two uses with a fault between', [take(2, 3), take(8, 9)], [{ invokedAt: 4, returnedAt: 5 }]],
    ['a use after a refusal', [take(6, 7, 'not'), take(8, 9)], [{ invokedAt: 4, returnedAt: 5 }]],
    ['a refusal for nothing', [take(2, 3, 'not')], []],
    ['a refusal before the use and the fault', [take(2, 3, 'not'), take(4, 5, 'unknown')], []],
    ['a fault before the item was there', [take(8, 9, 'not')], [{ invokedAt: -4, returnedAt: -3 }]],
  ])('finds: %s', (_title, calls, faults) => {
    expect(findAnomalies([put, ...calls], faults)).not.toEqual([]);
  });
});
