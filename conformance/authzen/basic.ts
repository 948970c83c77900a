import {
  type Case,
  type Level,
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
  someContext,
  write,
} from './case.ts';

const permitted = { subject: alice, action: read, resource: record1 };

function decides(id: string, level: Level, title: string, request: unknown, decision: boolean): Case {
  return {
    id,
    level,
    title,
    async run(pdp) {
      checkSame(decisionOf(objectOf(await pdp.post('evaluation', request))), decision, 'the decision');
    },
  };
}

function refuses(title: string, body: unknown, sent = {}): Case {
  return {
    id: 'c-2-4',
    level: 'Basic Core',
    title: `400 for ${title}`,
    async run(pdp) {
      checkSame((await pdp.post('evaluation', body, sent)).status, 400, 'the status');
    },
  };
}

const deleting = (soft: boolean) => ({
  subject: alice,
  action: { name: 'delete', properties: { soft } },
  resource: record1,
});
const without = (member: keyof typeof permitted) => ({ ...permitted, [member]: undefined });

/** Access Evaluation: the eight rules of the fixture, acceptance, errors, headers, idempotency. */
export const basicCases: Case[] = [
  decides('c-2-2-1', 'Basic Core', 'rule 1: alice reads', permitted, true),
  decides(
    'c-2-2-2',
    'Basic Core',
    'rule 4: bob does not write',
    { ...permitted, subject: bob, action: write },
    false,
  ),
  decides('c-1-4', 'Basic Core', 'rule 2: alice writes', { ...permitted, action: write }, true),
  decides('c-1-4', 'Basic Core', 'rule 3: bob reads', { ...permitted, subject: bob }, true),
  decides('c-2-2-3', 'Basic Core', 'context is accepted', { ...permitted, context: someContext }, true),
  decides(
    'c-2-2-4',
    'Basic Properties',
    'rule 5: alice does not write the archive',
    { subject: alice, action: write, resource: archived2 },
    false,
  ),
  decides(
    'c-2-2-5',
    'Basic Properties',
    'rule 6: an administrator writes the archive',
    { subject: admin, action: write, resource: archived2 },
    true,
  ),
  decides('c-2-2-6', 'Basic Properties', 'rule 7: a soft delete', deleting(true), true),
  decides('c-2-2-7', 'Basic Properties', 'rule 8: a hard delete', deleting(false), false),
  decides(
    'c-2-2-8',
    'Basic Core',
    'further properties are accepted',
    {
      subject: { ...alice, properties: { department: 'Sales', role: 'manager' } },
      action: { ...read, properties: { method: 'GET' } },
      resource: { ...record1, properties: { status: 'active', owner: 'bob' } },
    },
    true,
  ),
  decides(
    'c-2-2-9',
    'Basic Core',
    'unknown members are ignored',
    { ...permitted, foo: 'bar', futureField: { nested: true } },
    true,
  ),
  refuses('a missing subject', without('subject')),
  refuses('a missing action', without('action')),
  refuses('a missing resource', without('resource')),
  refuses('a subject without type', { ...permitted, subject: { id: 'alice' } }),
  refuses('a subject without id', { ...permitted, subject: { type: 'user' } }),
  refuses('an action without name', { ...permitted, action: {} }),
  refuses('a resource without type', { ...permitted, resource: { id: 'record-1' } }),
  refuses('a resource without id', { ...permitted, resource: { type: 'record' } }),
  refuses('another content type', permitted, { headers: { 'content-type': 'text/plain' } }),
  refuses('a body that is not JSON', undefined, { raw: '{"subject":' }),
  refuses('an empty body', undefined, { raw: '' }),
  refuses('a subject that is a text', { ...permitted, subject: 'alice' }),
  refuses('a name that is a number', { ...permitted, action: { name: 123 } }),
  {
    id: 'c-2-5',
    level: 'Basic Core',
    title: 'X-Request-ID comes back, and is not needed',
    async run(pdp) {
      const headers = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' };
      const { requestId } = await pdp.post('evaluation', permitted, { headers });
      checkSame(requestId, headers['x-request-id'], 'X-Request-ID');
      objectOf(await pdp.post('evaluation', permitted));
    },
  },
  {
    id: 'c-2-6',
    level: 'Basic Core',
    title: 'the same request gets the same decision',
    async run(pdp) {
      for (let time = 0; time < 5; time += 1)
        check(decisionOf(objectOf(await pdp.post('evaluation', permitted))), 'the decision changed');
    },
  },
];
