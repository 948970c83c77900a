import {
  type Case,
  type Level,
  active1,
  admin,
  alice,
  archived2,
  bob,
  check,
  checkSame,
  decisionOf,
  objectOf,
  read,
  record1,
  record2,
  write,
} from './case.ts';

/** @param decisions `undefined` where any decision will do */
function answers(
  id: string,
  level: Level,
  title: string,
  request: { evaluations: unknown[] } & Record<string, unknown>,
  decisions: (boolean | undefined)[],
): Case {
  return {
    id,
    level,
    title,
    async run(pdp) {
      const { evaluations } = objectOf(await pdp.post('evaluations', request));
      check(Array.isArray(evaluations), 'evaluations is not a list');
      checkSame(evaluations.length, request.evaluations.length, 'the number of answers');
      const actual = evaluations.map(decisionOf);
      const expected = decisions.map((decision, index) => decision ?? actual[index]);
      checkSame(actual, expected, 'the decisions');
    },
  };
}

function one(id: string, title: string, request: unknown): Case {
  return {
    id,
    level: 'Batch Core',
    title,
    async run(pdp) {
      check(decisionOf(objectOf(await pdp.post('evaluations', request))), 'the decision is false');
    },
  };
}

const permitted = { subject: alice, action: read, resource: record1 };

/** Access Evaluations: order, defaults replaced whole, errors of items, and the single form. */
export const batchCases: Case[] = [
  answers(
    'c-3-2-1',
    'Batch Core',
    'a list of evaluations',
    { subject: alice, action: read, evaluations: [{ resource: record1 }, { resource: record2 }] },
    [undefined, undefined],
  ),
  answers(
    'c-3-2-2',
    'Batch Core',
    'decisions in the order of the questions',
    { subject: bob, resource: record1, evaluations: [{ action: read }, { action: write }] },
    [true, false],
  ),
  answers(
    'c-3-2-3',
    'Batch Properties',
    'properties of each resource',
    { subject: alice, action: write, evaluations: [{ resource: active1 }, { resource: archived2 }] },
    [true, false],
  ),
  answers(
    'c-3-2-4',
    'Batch Properties',
    'properties of each subject',
    { action: write, resource: archived2, evaluations: [{ subject: alice }, { subject: admin }] },
    [false, true],
  ),
  answers(
    'c-3-2-5',
    'Batch Core',
    'no defaults',
    { evaluations: [permitted, { subject: bob, action: write, resource: record1 }] },
    [true, false],
  ),
  answers(
    'c-3-2-6',
    'Batch Core',
    'context as a default and replaced',
    {
      subject: alice,
      action: read,
      context: { time: '2025-06-27T18:03-07:00' },
      evaluations: [
        { resource: record1 },
        { resource: record2, context: { time: '2025-06-27T19:00-07:00', source: 'batch-override' } },
      ],
    },
    [undefined, undefined],
  ),
  answers(
    'c-3-2-7',
    'Batch Properties',
    'an empty item takes every default',
    { subject: alice, action: write, resource: active1, evaluations: [{}, { resource: archived2 }] },
    [true, false],
  ),
  answers(
    'c-3-4-1',
    'Batch Core',
    'an item that lacks something is a false among others',
    {
      subject: alice,
      action: read,
      options: { evaluations_semantic: 'execute_all' },
      evaluations: [{ resource: record1 }, {}],
    },
    [true, false],
  ),
  one('c-3-4-2', 'without evaluations it is one evaluation', permitted),
  one('c-3-4-3', 'with none it is one evaluation', { ...permitted, evaluations: [] }),
  answers(
    '+',
    'Batch Properties',
    'the same ids with different properties get their own answers',
    {
      subject: alice,
      resource: record1,
      evaluations: [true, false, true].map((soft) => ({ action: { name: 'delete', properties: { soft } } })),
    },
    [true, false, true],
  ),
  {
    id: 'c-2-5',
    level: 'Batch Core',
    title: 'X-Request-ID comes back',
    async run(pdp) {
      const headers = { 'x-request-id': 'batch-1' };
      checkSame((await pdp.post('evaluations', permitted, { headers })).requestId, 'batch-1', 'X-Request-ID');
    },
  },
  {
    id: 'c-2-4',
    level: 'Batch Core',
    title: '400 for a body that cannot be read',
    async run(pdp) {
      checkSame((await pdp.post('evaluations', {}, { raw: '{' })).status, 400, 'the status of broken JSON');
      checkSame((await pdp.post('evaluations', {}, { raw: '' })).status, 400, 'the status of no body');
      const headers = { 'content-type': 'text/plain' };
      checkSame((await pdp.post('evaluations', permitted, { headers })).status, 400, 'the status of text');
    },
  },
];
