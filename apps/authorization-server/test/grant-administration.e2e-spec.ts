import { agentId, TestAgents } from './test-agents.js';
import { basic, files } from './test-server.js';

let agents: TestAgents;
beforeEach(async () => {
  agents = await TestAgents.start();
  await agents.create();
});
afterEach(() => agents.close());

const wanted = {
  person: 'alice',
  agent: agentId,
  resource: files,
  scopes: ['mcp:tools'],
  purpose: 'Reports',
};
const create = (changes: object = {}) => agents.admin('POST', '/grants', { ...wanted, ...changes });

describe('administration of delegation grants', () => {
  it('makes, shows, lists, narrows and revokes', async () => {
    const made = await create({ scopes: ['mcp:tools', 'files:write'], lifetimeSeconds: 3600 });
    expect(made).toMatchObject({
      status: 201,
      body: { ...wanted, scopes: ['files:write', 'mcp:tools'], origin: 'administrator', madeBy: 'operator' },
    });
    const { id } = made.body;
    expect(made.headers.get('location')).toBe(`${agents.server.issuer}/admin/grants/${id}`);
    expect(made.headers.get('etag')).toBe('"1"');
    expect((await agents.admin('GET', `/grants/${id}`)).body).toEqual(made.body);

    await create({ person: 'bob' });
    const of = async (query: string) => (await agents.admin('GET', `/grants?${query}`)).body.grants;
    expect(await of('person=alice')).toEqual([made.body]);
    expect(await of(`agent=${encodeURIComponent(agentId)}`)).toHaveLength(2);
    expect(await of('person=carol')).toEqual([]);

    const narrowed = await agents.admin(
      'PATCH',
      `/grants/${id}`,
      { scopes: ['mcp:tools'] },
      { 'if-match': '"1"' },
    );
    expect(narrowed.body).toMatchObject({ scopes: ['mcp:tools'], version: 2 });
    const revoked = await agents.admin('POST', `/grants/${id}/revoke`);
    expect(revoked.body).toMatchObject({ state: 'revoked', endedBy: 'operator', version: 3 });
    const changes = agents.server.audit.filter(({ type }) => type === 'delegation');
    expect(changes.map(({ details, client }) => [details?.['change'], client])).toEqual([
      ['make', 'operator'],
      ['make', 'operator'],
      ['narrow', 'operator'],
      ['revoke', 'operator'],
    ]);
  });

  it.each<[string, object, number]>([
    ['an unknown resource', { resource: 'https://elsewhere.example' }, 400],
    ['administration itself', { resource: 'http://localhost:4002' }, 400],
    ['an unknown scope', { scopes: ['admin'] }, 400],
    ['no scope', { scopes: [] }, 400],
    ['a stranger', { agent: 'web-app' }, 400],
    ['a purpose that is not one line', { purpose: 'a\nb' }, 400],
    ['a member that is none', { state: 'active' }, 400],
    ['an endless one', { lifetimeSeconds: 1e9 }, 400],
  ])('refuses %s', async (_what, changes, status) => {
    expect((await create(changes)).status).toBe(status);
    expect((await agents.admin('GET', '/grants')).body.grants).toEqual([]);
  });

  it('cannot be widened, and not be changed by who has not read it', async () => {
    const { id } = (await create()).body;
    const patch = (body: object, headers: Record<string, string> = { 'if-match': '"1"' }) =>
      agents.admin('PATCH', `/grants/${id}`, body, headers);
    expect((await patch({ scopes: ['mcp:tools', 'files:write'] })).status).toBe(400);
    expect((await patch({}, {})).status).toBe(428);
    expect((await patch({}, { 'if-match': '"7"' })).status).toBe(412);
    expect((await agents.admin('POST', '/grants/made-up/revoke')).status).toBe(404);
  });

  it('is for administrators', async () => {
    const { access_token: token } = await agents.server.signIn();
    for (const authorization of ['', `Bearer ${token}`, basic('operator', 'operator-secret')]) {
      for (const [method, path] of [
        ['GET', ''],
        ['POST', ''],
        ['GET', '/x'],
        ['PATCH', '/x'],
        ['POST', '/x/revoke'],
      ]) {
        const answer = await agents.admin(method!, `/grants${path}`, method === 'GET' ? undefined : wanted, {
          authorization,
        });
        expect(answer.status).toBe(401);
      }
    }
  });
});
