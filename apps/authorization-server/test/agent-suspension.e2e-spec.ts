import { agentId, TestAgents } from './test-agents.js';
import { files, type Tokens } from './test-server.js';

const outcome = ({ status, body }: Tokens) => (status === 200 ? 'issued' : body.error);

describe('an agent that acts for a person', () => {
  let agents: TestAgents;
  beforeEach(async () => {
    agents = await TestAgents.start();
  });
  afterEach(() => agents.close());

  it('becomes the current actor, within its ceiling', async () => {
    await agents.create({ lifetimes: { tokenSeconds: 60 } });
    const { body } = await agents.exchange(await agents.personToken());
    expect(body['expires_in']).toBe(60);
    expect(await agents.server.claims(body.access_token)).toMatchObject({
      sub: 'alice',
      act: { sub: agentId },
      aud: files,
      scope: 'mcp:tools',
    });
  });

  it.each<[string, Record<string, string>, object, string]>([
    [
      'an audience',
      {},
      { audiences: ['https://elsewhere.example'], scopes: ['mcp:tools'] },
      'invalid_target',
    ],
    [
      'a scope',
      { scope: 'mcp:tools files:write' },
      { audiences: ['*'], scopes: ['mcp:tools'] },
      'invalid_scope',
    ],
    ['any scope', {}, { audiences: ['*'], scopes: [] }, 'invalid_scope'],
    ['any audience', {}, { audiences: [], scopes: ['mcp:tools'] }, 'invalid_target'],
  ])('does not get %s beyond it', async (_title, parameters, ceiling, error) => {
    await agents.create({ ceiling });
    expect(outcome(await agents.exchange(await agents.personToken(), parameters))).toBe(error);
  });

  it('does not lengthen a chain beyond it', async () => {
    const ceiling = { audiences: ['*'], scopes: ['mcp:tools'], maxChainDepth: 1 };
    await agents.create({ ceiling });
    const first = await agents.exchange(await agents.personToken());
    expect(outcome(first)).toBe('issued');
    // Its own token again, which it may present: now it would be the second actor.
    expect(outcome(await agents.exchange(first.body.access_token))).toBe('invalid_request');
  });

  it('is bound by a ceiling that was narrowed a moment ago', async () => {
    const { headers } = await agents.create();
    const person = await agents.personToken();
    expect(outcome(await agents.exchange(person))).toBe('issued');
    const path = `/agents/${encodeURIComponent(agentId)}`;
    const ceiling = { audiences: [], scopes: [] };
    await agents.admin('PATCH', path, { ceiling }, { 'if-match': headers.get('etag')! });
    expect(outcome(await agents.exchange(person))).toBe('invalid_target');
    expect(outcome(await agents.own())).toBe('invalid_target');
  });
});

describe('suspending an agent', () => {
  let agents: TestAgents;
  beforeEach(async () => {
    agents = await TestAgents.start();
    await agents.create();
  });
  afterEach(() => agents.close());

  it('ends its tokens everywhere with one event, and gives it no new ones', async () => {
    const point = await agents.enforcementPoint();
    const person = await agents.personToken();
    const own = (await agents.own()).body.access_token;
    const delegated = (await agents.exchange(person)).body.access_token;
    const prepared = await agents.assertion();
    expect(await point.verify(own)).toBe('accepted');
    expect(await point.verify(delegated)).toBe('accepted');
    expect(outcome(await agents.exchangeAtGateway(delegated))).toBe('issued');

    const { status, body } = await agents.change('suspend');
    expect([status, body.state]).toEqual([200, 'suspended']);
    await point.revoked;

    expect(await point.verify(own)).toBe('invalid_token');
    expect(await point.verify(delegated)).toBe('invalid_token');
    expect(outcome(await agents.exchangeAtGateway(delegated))).toBe('invalid_request');
    expect(outcome(await agents.own())).toBe('invalid_client');
    expect(outcome(await agents.own({}, prepared))).toBe('invalid_client');
    expect(outcome(await agents.exchange(person))).toBe('invalid_client');
    // The person's own token is nobody's but theirs.
    expect(await point.verify(person, 'https://reporter.example/agent')).toBe('accepted');
    await point.close();
  });

  it('writes state, event and revocation in one transaction', async () => {
    const before = (await agents.server.outbox()).length;
    await agents.change('suspend');
    const events = (await agents.server.outbox()).slice(before);
    expect(events.map(({ type, data }) => [type, (data as { id: string }).id])).toEqual([
      ['behalf.revocation.created', agentId],
      ['behalf.agent.suspended', agentId],
    ]);
  });

  it('ends what others hold with the agent in mid-chain', async () => {
    const point = await agents.enforcementPoint();
    const delegated = (await agents.exchange(await agents.personToken())).body.access_token;
    const further = (await agents.exchangeAtGateway(delegated)).body.access_token;
    const upstream = 'https://files.example/mcp';
    expect(await agents.server.claims(further)).toMatchObject({
      act: { sub: 'gateway', act: { sub: agentId } },
    });
    expect(await point.verify(further, upstream)).toBe('accepted');
    await agents.change('suspend');
    await point.revoked;
    expect(await point.verify(further, upstream)).toBe('invalid_token');
    // The gateway presents its own token, which names a suspended agent further in.
    expect(outcome(await agents.exchangeAtGateway(further))).toBe('invalid_request');
    await point.close();
  });

  it('leaves the agent no way round: its id is no metadata document either', async () => {
    await agents.change('suspend');
    const authorizing = await fetch(agents.server.authorizationUrl({ client_id: agentId }), {
      redirect: 'manual',
    });
    expect(authorizing.status).toBe(401);
  });

  it('can be taken back: new tokens work, those from before stay refused, here and elsewhere', async () => {
    const point = await agents.enforcementPoint();
    const { clock } = agents.server;
    const person = await agents.personToken();
    const before = (await agents.exchange(person)).body.access_token;
    clock.advanceSeconds(30);
    await agents.change('suspend');
    clock.advanceSeconds(30);
    const { body } = await agents.change('resume');
    expect(body.state).toBe('active');
    const after = (await agents.exchange(person)).body.access_token;
    expect(await point.verify(before)).toBe('invalid_token');
    expect(await point.verify(after)).toBe('accepted');
    expect(outcome(await agents.exchangeAtGateway(before))).toBe('invalid_request');
    expect(outcome(await agents.exchangeAtGateway(after))).toBe('issued');
    await point.close();
  });

  it('is final when the agent is retired', async () => {
    await agents.change('retire');
    for (const change of ['resume', 'suspend'] as const)
      expect((await agents.change(change)).status).toBe(409);
    expect(outcome(await agents.own())).toBe('invalid_client');
    expect((await agents.create()).status).toBe(409);
  });
});

it('suspending an agent holds for what authenticated before and exchanges after', async () => {
  const agents = await TestAgents.start({ replicas: 1 });
  await agents.create();
  const { server } = agents;
  const person = await agents.personToken();
  // Suspended between the look-up of the client and that of its ceiling, which begins with the exchange itself.
  const { records } = server;
  const get = records.get.bind(records);
  let lookups = 0;
  records.get = async (kind, id) => {
    if (kind.name === 'agent' && (lookups += 1) === 2) {
      records.get = get;
      await agents.change('suspend');
    }
    return get(kind, id);
  };
  expect(outcome(await agents.exchange(person))).toBe('invalid_client');
  expect(lookups).toBe(2);
  await agents.close();
});
