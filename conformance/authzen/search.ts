import {
  type Case,
  type Level,
  admin,
  alice,
  archived2,
  check,
  checkSame,
  objectOf,
  read,
  record1,
  someContext,
  write,
} from './case.ts';
import type { PdpClient } from './pdp-client.ts';

type Target = 'subject' | 'resource' | 'action';

async function results(pdp: PdpClient, target: Target, request: Record<string, unknown>): Promise<unknown[]> {
  const { results: found } = objectOf(await pdp.post(`search/${target}`, request));
  check(Array.isArray(found), 'results is not a list');
  const type = (request[target] as { type?: string } | undefined)?.type;
  for (const one of found as Record<string, unknown>[]) {
    if (target === 'action') check(typeof one['name'] === 'string', 'a result has no name');
    else {
      checkSame(one['type'], type, 'the type of a result');
      check(typeof one['id'] === 'string', 'a result has no id');
    }
  }
  return found;
}

const nameOf = (result: unknown): unknown => {
  const { id, name } = result as Record<string, unknown>;
  return id ?? name;
};

function finds(
  id: string,
  level: Level,
  title: string,
  target: Target,
  request: Record<string, unknown>,
  expected: string[],
  sameAs?: Record<string, unknown>,
): Case {
  return {
    id,
    level,
    title,
    async run(pdp) {
      const found = (await results(pdp, target, request)).map(nameOf);
      for (const one of expected) check(found.includes(one), `${one} is not among the results`);
      if (sameAs !== undefined)
        checkSame(found, (await results(pdp, target, sameAs)).map(nameOf), 'the list of results');
    },
  };
}

function findsNothing(title: string, target: Target, request: Record<string, unknown>): Case {
  return {
    id: 'c-4-6',
    level: 'Search Core',
    title,
    async run(pdp) {
      checkSame(await results(pdp, target, request), [], 'the list of results');
    },
  };
}

function refuses(title: string, target: Target, request: Record<string, unknown>): Case {
  return {
    id: 'c-4-7',
    level: 'Search Core',
    title: `400 for ${title}`,
    async run(pdp) {
      checkSame((await pdp.post(`search/${target}`, request)).status, 400, 'the status');
    },
  };
}

const whoReads = { subject: { type: 'user' }, action: read, resource: record1 };
const whatAliceReads = { subject: alice, action: read, resource: { type: 'record' } };
const whatAliceMayDo = { subject: alice, resource: record1 };

/** Subject, Resource and Action Search: results, ids that are ignored, paging, nothing for the unknown, errors. */
export const searchCases: Case[] = [
  finds('c-4-2-1', 'Search Core', 'S1: who reads', 'subject', whoReads, ['alice', 'bob']),
  finds(
    'c-4-2-2',
    'Search Core',
    'context changes nothing',
    'subject',
    { ...whoReads, context: someContext },
    ['alice', 'bob'],
    whoReads,
  ),
  finds(
    'c-4-2-3',
    'Search Core',
    'an id of the subject is ignored',
    'subject',
    { ...whoReads, subject: alice },
    ['alice', 'bob'],
    whoReads,
  ),
  finds(
    'c-4-2-4',
    'Search Properties',
    'S4: who writes the archive',
    'subject',
    { subject: { type: 'user' }, action: write, resource: archived2 },
    ['bob'],
  ),
  finds('c-4-3-1', 'Search Core', 'S2: what alice reads', 'resource', whatAliceReads, ['record-1']),
  finds(
    'c-4-3-2',
    'Search Core',
    'context changes nothing',
    'resource',
    { ...whatAliceReads, context: someContext },
    ['record-1'],
    whatAliceReads,
  ),
  finds(
    'c-4-3-3',
    'Search Core',
    'an id of the resource is ignored',
    'resource',
    { ...whatAliceReads, resource: record1 },
    ['record-1'],
    whatAliceReads,
  ),
  finds(
    'c-4-3-4',
    'Search Properties',
    'S5: what an administrator writes',
    'resource',
    { subject: admin, action: write, resource: { type: 'record' } },
    ['record-2'],
  ),
  finds('c-4-4-1', 'Search Core', 'S3: what alice may do', 'action', whatAliceMayDo, ['read', 'write']),
  finds(
    'c-4-4-2',
    'Search Core',
    'context changes nothing',
    'action',
    { ...whatAliceMayDo, context: someContext },
    ['read', 'write'],
    whatAliceMayDo,
  ),
  finds(
    'c-4-4-3',
    'Search Properties',
    'S6: what an administrator may do to the archive',
    'action',
    { subject: admin, resource: archived2 },
    ['write'],
  ),
  {
    id: 'c-4-5',
    level: 'Search Core',
    title: 'paging is accepted, and followed where it is offered',
    async run(pdp) {
      const seen: unknown[] = [];
      let page: Record<string, unknown> = { limit: 1 };
      for (let pages = 0; pages < 20; pages += 1) {
        const answer = objectOf(await pdp.post('search/subject', { ...whoReads, page }));
        check(Array.isArray(answer['results']), 'results is not a list');
        seen.push(...answer['results'].map(nameOf));
        const given = answer['page'] as Record<string, unknown> | undefined;
        if (given === undefined) {
          check(pages === 0, 'page is missing from an answer to a token');
          return;
        }
        check(typeof given === 'object' && given !== null, 'page is not an object');
        check(typeof given['next_token'] === 'string', 'page.next_token is not a text');
        if (given['next_token'] === '') break;
        page = { token: given['next_token'] };
      }
      const all = (await results(pdp, 'subject', whoReads)).map(nameOf);
      checkSame(seen, all, 'the results of all pages');
    },
  },
  findsNothing('nothing for an unknown subject', 'action', {
    subject: { type: 'user', id: 'nonexistent-user' },
    resource: record1,
  }),
  findsNothing('nothing for an unknown subject', 'resource', {
    ...whatAliceReads,
    subject: { type: 'user', id: 'nonexistent-user' },
  }),
  findsNothing('nothing for an unknown type of subject', 'subject', {
    ...whoReads,
    subject: { type: 'spaceship' },
  }),
  findsNothing('nothing for an unknown type of resource', 'resource', {
    ...whatAliceReads,
    resource: { type: 'spaceship' },
  }),
  findsNothing('nothing on an unknown type of resource', 'subject', {
    ...whoReads,
    resource: { type: 'spaceship', id: 'record-1' },
  }),
  findsNothing('nothing on an unknown type of resource', 'action', {
    subject: alice,
    resource: { type: 'spaceship', id: 'record-1' },
  }),
  findsNothing('nothing for an unknown type of subject', 'action', {
    subject: { type: 'spaceship', id: 'alice' },
    resource: record1,
  }),
  refuses('a subject search without action', 'subject', { subject: { type: 'user' }, resource: record1 }),
  refuses('a resource search without subject', 'resource', { action: read, resource: { type: 'record' } }),
  refuses('an action search without resource', 'action', { subject: alice }),
  refuses('a subject search whose resource has no id', 'subject', {
    ...whoReads,
    resource: { type: 'record' },
  }),
  refuses('a resource search whose subject has no id', 'resource', {
    ...whatAliceReads,
    subject: { type: 'user' },
  }),
  refuses('an action search whose subject has no id', 'action', {
    subject: { type: 'user' },
    resource: record1,
  }),
  {
    id: 'c-2-5',
    level: 'Search Core',
    title: 'X-Request-ID comes back',
    async run(pdp) {
      for (const target of ['subject', 'resource', 'action'] as const) {
        const request = { subject: whoReads, resource: whatAliceReads, action: whatAliceMayDo }[target];
        const headers = { 'x-request-id': `search-${target}` };
        const { requestId } = await pdp.post(`search/${target}`, request, { headers });
        checkSame(requestId, `search-${target}`, 'X-Request-ID');
      }
    },
  },
];
