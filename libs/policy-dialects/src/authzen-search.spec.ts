import type { EvaluationsRequest } from '@behalf/contracts';
import { search } from './authzen-search.js';
import { UnmappableRequest } from './unmappable-request.js';

const users = Array.from({ length: 450 }, (_, index) => ({
  type: 'User',
  id: `u${String(index).padStart(3, '0')}`,
}));
const known = {
  entities: [
    ...users,
    { type: 'Tool', id: 'files/read_file' },
    { type: 'Tool', id: 'web/fetch' },
    { type: 'ResourceUri', id: 'demo://x' },
    { type: 'Record', id: 'r' },
  ],
  actions: ['write', 'read'],
};
/** Even numbers may; everything that is not a person is allowed to all. */
const decide = async ({ evaluations = [] }: EvaluationsRequest) => ({
  evaluations: evaluations.map(({ subject }) => ({ decision: !/[13579]$/.test(subject?.id ?? '') })),
});
const dependencies = { known, resourceTypes: { record: 'Record' }, decide };
const who = { subject: { type: 'user' }, action: { name: 'read' }, resource: { type: 'record', id: 'r' } };

describe('paging', () => {
  it('shows every result once, in order, and ends with an empty token', async () => {
    const seen: string[] = [];
    let page: object = { limit: 100 };
    for (let pages = 1; ; pages += 1) {
      const answer = await search('subject', { ...who, page }, dependencies);
      seen.push(...answer.results.map((one) => ('id' in one ? one.id : '')));
      expect(answer.page.count).toBe(answer.results.length);
      if (answer.page.next_token === '') {
        expect(pages).toBe(3);
        break;
      }
      page = { token: answer.page.next_token };
    }
    expect(seen).toEqual(users.map(({ id }) => id).filter((_, index) => index % 2 === 0));
  });

  it('tells no candidate that was not a result', async () => {
    const { page } = await search('subject', { ...who, page: { limit: 1 } }, dependencies);
    expect(JSON.parse(Buffer.from(page.next_token, 'base64url').toString())).toEqual([
      expect.any(String),
      1,
      'u000',
    ]);
  });

  it.each<[string, (token: string) => [object, object]]>([
    ['another question', (token) => [{ ...who, action: { name: 'write' } }, { token }]],
    ['another context', (token) => [{ ...who, context: { a: 1 } }, { token }]],
    ['another limit', (token) => [who, { token, limit: 7 }]],
    ['nobody', () => [who, { token: 'x' }]],
    ['something malformed', () => [who, { token: Buffer.from('[1]').toString('base64url') }]],
    ['a text instead of an object', () => [who, 'x' as unknown as object]],
    ['a negative limit', () => [who, { limit: -1 }]],
  ])('refuses a token of %s', async (_, change) => {
    const { page } = await search('subject', { ...who, page: { limit: 1 } }, dependencies);
    const [request, next] = change(page.next_token);
    await expect(search('subject', { ...request, page: next }, dependencies)).rejects.toThrow(
      UnmappableRequest,
    );
  });
});

describe('candidates', () => {
  const what = (resource: object) =>
    search(
      'resource',
      { subject: { type: 'user', id: 'u000' }, action: { name: 'read' }, resource },
      dependencies,
    );

  it('are things on servers, by server and name', async () => {
    expect((await what({ type: 'tool' })).results).toEqual([
      { type: 'tool', id: 'read_file', properties: { server: 'files' } },
      { type: 'tool', id: 'fetch', properties: { server: 'web' } },
    ]);
    expect((await what({ type: 'tool', properties: { server: 'web' } })).results).toHaveLength(1);
    expect((await what({ type: 'resource_uri' })).results).toEqual([
      { type: 'resource_uri', id: 'demo://x' },
    ]);
  });

  it('are types that are declared, and none of others', async () => {
    expect((await what({ type: 'record' })).results).toEqual([{ type: 'record', id: 'r' }]);
    for (const type of ['spaceship', 'constructor', '__proto__'])
      expect((await what({ type })).results).toEqual([]);
  });

  it('are actions in order', async () => {
    const answer = await search(
      'action',
      { subject: { type: 'user', id: 'u000' }, resource: { type: 'record', id: 'r' } },
      dependencies,
    );
    expect(answer.results).toEqual([{ name: 'read' }, { name: 'write' }]);
  });
});
