import { createAgentRequestSchema } from '@behalf/contracts';
import { type AgentRefusalReason, agentRefusalToOAuthError } from './agent-refusal.js';
import { agentDocument } from './agent-metadata.js';
import { agentsFixture, agentsUrl } from './agents.fixture.js';
import { getAgent } from './get-agent.js';
import { listAgents } from './list-agents.js';
import { resumeAgent } from './resume-agent.js';
import { retireAgent } from './retire-agent.js';
import { suspendAgent } from './suspend-agent.js';
import { updateAgent } from './update-agent.js';

const refusal = (kind: string) => ({ name: 'AgentRefusal', reason: { kind } });
const id = `${agentsUrl}/reporter`;

describe('the id of an agent', () => {
  it('is made here, by a name or at random', async () => {
    const fixture = agentsFixture();
    expect((await fixture.create()).id).toBe(id);
    expect((await fixture.create({ slug: undefined })).id).toBe(`${agentsUrl}/id-1`);
  });

  it('is given once, also after its agent has retired, and to one of two who ask at once', async () => {
    const fixture = agentsFixture();
    const both = await Promise.allSettled([fixture.create(), fixture.create()]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await retireAgent({ id }, undefined, fixture.act(), fixture.dependencies);
    await expect(fixture.create()).rejects.toMatchObject(refusal('id_taken'));
  });

  it('is not that of a configured client', async () => {
    await expect(agentsFixture().create({ slug: 'configured' })).rejects.toMatchObject(refusal('id_taken'));
  });

  it('may be a document URL that the agent has already', async () => {
    const external = 'https://agents.example/reporter.json';
    expect((await agentsFixture().create({ slug: undefined, id: external })).id).toBe(external);
  });

  it.each([
    ['this issuer', 'https://as.example/agents/reporter'],
    ['this issuer, elsewhere', 'https://as.example/token'],
    ['this issuer with its port', 'https://as.example:443/agents/x'],
    ['http', 'http://agents.example/a'],
    ['a plain name', 'web-app'],
    ['a URL without a path', 'https://agents.example'],
    ['another spelling of a host', 'https://AGENTS.example/a'],
    ['a host that looks like another', 'https://\u0430gents.example/a'],
    ['dot segments', 'https://agents.example/b/../a'],
    ['encoded dot segments', 'https://agents.example/b/%2e%2e/a'],
    ['backslashes', 'https://agents.example\\a'],
    ['credentials', 'https://as.example@agents.example/a'],
    ['a query', 'https://agents.example/a?b'],
    ['a fragment', 'https://agents.example/a#b'],
  ])('is not taken from %s', async (_title, external) => {
    const creating = agentsFixture().create({ slug: undefined, id: external });
    await expect(creating).rejects.toMatchObject({ reason: { kind: 'id_unacceptable' } });
  });

  it.each(['../token', 'a/b', 'A', '', 'a.json', '-a', 'a%2Fb', 'a'.repeat(65)])(
    'is not built from the name %j',
    async (slug) => {
      await expect(agentsFixture().create({ slug })).rejects.toMatchObject({ name: 'ZodError' });
    },
  );
});

describe('the request for an agent', () => {
  it.each<[string, object]>([
    ['no keys', { jwks: undefined }],
    ['keys in two places', { jwksUri: 'https://agent.example/jwks' }],
    ['an id and a name for one', { id: 'https://agents.example/a' }],
    ['nobody who answers for it', { owner: ' ' }],
    ['a name that hides what it says', { name: 'Reporter \u202E' }],
    ['no ceiling', { ceiling: undefined }],
    ['a misspelt ceiling', { ceiling: { audience: [], scopes: [] } }],
    ['two scopes in one', { ceiling: { audiences: [], scopes: ['a b'] } }],
    ['a deeper chain than there can be', { ceiling: { audiences: [], scopes: [], maxChainDepth: 6 } }],
    ['no lifetime at all', { lifetimes: { tokenSeconds: 0 } }],
  ])('is refused with %s', async (_title, changes) => {
    await expect(agentsFixture().create(changes)).rejects.toMatchObject({ name: 'ZodError' });
  });

  it('takes an empty ceiling, which denies all', () => {
    const { ceiling } = createAgentRequestSchema.shape;
    expect(ceiling.parse({ audiences: [], scopes: [] })).toMatchObject({ audiences: [], scopes: [] });
  });
});

describe('the state of an agent', () => {
  it('is left and entered with an event and a revocation each', async () => {
    const fixture = agentsFixture();
    const { clock, dependencies, act, revoked } = fixture;
    await fixture.create();
    clock.advanceSeconds(60);
    const suspended = await suspendAgent({ id }, 'odd calls', act(), dependencies);
    expect(suspended).toMatchObject({ state: 'suspended', stateReason: 'odd calls', version: 2 });
    expect(revoked).toEqual([{ id, revokedAtMs: clock.nowMs() }]);
    const suspendedAtMs = clock.nowMs();
    clock.advanceSeconds(60);
    const resumed = await resumeAgent({ id }, undefined, act(), dependencies);
    expect(resumed).toMatchObject({ state: 'active', version: 3 });
    expect(resumed.stateReason).toBeUndefined();
    expect(revoked.at(-1)).toEqual({
      id,
      revokedAtMs: clock.nowMs(),
      issuedUntilMs: suspendedAtMs + 10_000,
    });
    await retireAgent({ id }, undefined, act(), dependencies);
    expect(revoked.at(-1)).toEqual({ id, revokedAtMs: expect.any(Number) });
    expect(fixture.events()).toEqual(
      ['created', 'suspended', 'resumed', 'retired'].map((e) => `behalf.agent.${e}`),
    );
    expect(fixture.records.outbox.at(-1)).toMatchObject({
      data: { id, version: 4, state: 'retired', by: 'operator' },
    });
  });

  it('is put in order by revocations even within one millisecond', async () => {
    const fixture = agentsFixture();
    const { dependencies, act, revoked } = fixture;
    await fixture.create();
    for (const change of [suspendAgent, resumeAgent, suspendAgent]) {
      await change({ id }, undefined, act(), dependencies);
    }
    const moments = revoked.map(({ revokedAtMs }) => revokedAtMs);
    expect(moments).toEqual([...new Set(moments)].sort((one, other) => one - other));
    expect(revoked[1]!.issuedUntilMs).toBe(revoked[1]!.revokedAtMs);
  });

  it('does not change when the revocation cannot be written', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    await fixture.create();
    dependencies.revoke = async () => Promise.reject(new Error('disk full'));
    await expect(suspendAgent({ id }, undefined, act(), dependencies)).rejects.toThrow('disk full');
    expect(await getAgent(fixture.records, id)).toMatchObject({ state: 'active', version: 1 });
    expect(fixture.events()).toEqual(['behalf.agent.created']);
  });

  it('is entered once, however often it is asked for', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    await fixture.create();
    for (const change of [resumeAgent, suspendAgent, suspendAgent, retireAgent, retireAgent]) {
      await change({ id }, undefined, act(), dependencies);
    }
    expect((await getAgent(fixture.records, id)).version).toBe(3);
    expect(fixture.revoked).toHaveLength(2);
  });

  it('is final when retired', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    await fixture.create();
    await retireAgent({ id }, undefined, act(), dependencies);
    for (const change of [
      resumeAgent({ id }, undefined, act(), dependencies),
      suspendAgent({ id }, undefined, act(), dependencies),
      updateAgent({ id }, { name: 'Again' }, act(), dependencies),
    ]) {
      await expect(change).rejects.toMatchObject(refusal('agent_retired'));
    }
  });

  it('changes although others change the agent at the same time', async () => {
    const fixture = agentsFixture();
    const { dependencies, act } = fixture;
    await fixture.create();
    await Promise.all([
      suspendAgent({ id }, undefined, act(), dependencies),
      updateAgent({ id }, { name: 'One' }, act(), dependencies),
      updateAgent({ id }, { owner: 'two@example.com' }, act(), dependencies),
    ]);
    expect(await getAgent(fixture.records, id)).toMatchObject({
      state: 'suspended',
      name: 'One',
      owner: 'two@example.com',
      version: 4,
    });
  });
});

describe('updating an agent', () => {
  it('replaces what is named and keeps the rest', async () => {
    const fixture = agentsFixture();
    const before = await fixture.create();
    fixture.clock.advanceSeconds(1);
    const ceiling = {
      audiences: [],
      scopes: [],
      authorizationDetailsTypes: [],
      impersonation: [],
      maxTargets: 1,
      maxChainDepth: 1,
    };
    const after = await updateAgent(
      { id },
      { ceiling, name: undefined },
      fixture.act(),
      fixture.dependencies,
    );
    expect(after).toEqual({ ...before, ceiling, version: 2, updatedAtMs: fixture.clock.nowMs() });
  });

  it('lets one of two win who saw the same version', async () => {
    const fixture = agentsFixture();
    const { version } = await fixture.create();
    const update = (name: string) =>
      updateAgent({ id, expectedVersion: version }, { name }, fixture.act(), fixture.dependencies);
    const both = await Promise.allSettled([update('One'), update('Two')]);
    expect(both).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: refusal('version_conflict') },
    ]);
  });

  it('is refused for an agent that nobody knows', async () => {
    const { dependencies, act } = agentsFixture();
    const updating = updateAgent({ id: 'web-app' }, {}, act(), dependencies);
    await expect(updating).rejects.toMatchObject(refusal('agent_unknown'));
  });
});

describe('listing agents', () => {
  it('goes page by page, and by state', async () => {
    const fixture = agentsFixture();
    for (const slug of ['c', 'a', 'b']) await fixture.create({ slug });
    await suspendAgent({ id: `${agentsUrl}/b` }, undefined, fixture.act(), fixture.dependencies);
    const first = await listAgents(fixture.records, { limit: 2 });
    expect(first).toMatchObject({ agents: [{ id: `${agentsUrl}/a` }, { id: `${agentsUrl}/b` }] });
    const last = await listAgents(fixture.records, { limit: 2, after: first.next });
    expect(last.agents.map((agent) => agent.id)).toEqual([`${agentsUrl}/c`]);
    expect(last.next).toBeUndefined();
    const suspended = await listAgents(fixture.records, { limit: 2, state: 'suspended' });
    expect(suspended.agents).toHaveLength(1);
  });
});

describe('the metadata document of an agent', () => {
  it('names its keys by URL, and nothing that people could be sent to', async () => {
    expect(agentDocument(await agentsFixture().create())).toEqual({
      client_id: id,
      client_name: 'Reporter',
      token_endpoint_auth_method: 'private_key_jwt',
      grant_types: [
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      response_types: [],
      redirect_uris: [],
      jwks_uri: `${id}/jwks.json`,
    });
  });
});

describe('agentRefusalToOAuthError', () => {
  it.each<[AgentRefusalReason, number]>([
    [{ kind: 'agent_unknown' }, 404],
    [{ kind: 'agent_retired' }, 409],
    [{ kind: 'id_taken' }, 409],
    [{ kind: 'id_unacceptable', fault: 'x' }, 400],
    [{ kind: 'version_conflict' }, 412],
    [{ kind: 'key_unacceptable', fault: 'x' }, 400],
    [{ kind: 'key_known' }, 409],
    [{ kind: 'key_unknown' }, 404],
    [{ kind: 'too_many_keys' }, 409],
    [{ kind: 'last_key' }, 409],
    [{ kind: 'keys_are_not_here' }, 409],
    [{ kind: 'jwks_uri_unusable', cause: new Error('x') }, 400],
  ])('tells %j by status %i', (reason, status) => {
    expect(agentRefusalToOAuthError(reason)).toMatchObject({ code: 'invalid_request', status });
  });
});
