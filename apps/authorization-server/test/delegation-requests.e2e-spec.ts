import { TestBrowser, type Visit } from '@behalf/testing';
import { agentId, agentResource, TestAgents } from './test-agents.js';
import { files, type Tokens } from './test-server.js';

const mail = 'https://mail.example/mcp';
const outcome = ({ status, body }: Tokens) => (status === 200 ? 'issued' : body.error);

let agents: TestAgents;
let person: string;
beforeEach(async () => {
  agents = await TestAgents.start({
    server: {
      resources: [
        {
          resource: agentResource,
          name: 'Reporter',
          scopes: ['mcp:tools', 'files:write'],
          servedBy: [agentId],
        },
        { resource: mail, name: 'Mail <x>', scopes: ['mcp:tools', 'files:write'], delegation: 'grant' },
      ],
    },
  });
  await agents.create({
    ceiling: { audiences: [mail, files], scopes: ['mcp:tools', 'files:write'] },
  });
  person = await agents.personToken();
});
afterEach(() => agents.close());

const exchange = (more: Record<string, string> = {}) => agents.exchange(person, { resource: mail, ...more });

/** What a person sees who opens the link: signed in first, if they are not. */
async function open(url: string, browser = agents.server.browser, username = 'alice'): Promise<Visit> {
  const page = await browser.open(url);
  return page.html.includes('name="password"')
    ? browser.submit(page, { username, password: username })
    : page;
}
const decide = (page: Visit, decision: string, options = {}, browser = agents.server.browser) =>
  browser.submit(page, { decision }, options);

describe('an exchange that lacks a delegation grant', () => {
  it('leads the person to a page that says who asks for what, and works once they approved', async () => {
    const { status, body } = await exchange({ scope: 'mcp:tools' });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: 'interaction_required',
      interaction_uri: expect.stringMatching(`^${agents.server.issuer}/delegations/[A-Za-z0-9_-]{32}$`),
      expires_in: 600,
      interval: 5,
    });
    const page = await open(String(body['interaction_uri']));
    for (const shown of [
      'Let Reporter act for you?',
      'ALICE',
      'Mail &lt;x&gt;',
      mail,
      'Use its tools',
      'Writes reports',
      'ops@example.com',
      agentId,
      '<time datetime=',
    ]) {
      expect(page.html).toContain(shown);
    }
    expect(page.html).not.toContain('Change files');
    const done = await decide(page, 'allow');
    expect(done).toMatchObject({ status: 200, html: expect.stringContaining('You have approved') });

    const issued = await exchange({ scope: 'mcp:tools' });
    expect(outcome(issued)).toBe('issued');
    const claims = await agents.server.claims(issued.body.access_token);
    expect(claims).toMatchObject({ sub: 'alice', aud: mail, scope: 'mcp:tools', act: { sub: agentId } });
    const [grant] = (await agents.admin('GET', '/grants?person=alice')).body.grants;
    expect(claims['delegations']).toEqual([grant?.id]);
    expect(grant).toMatchObject({ agent: agentId, origin: 'request', lastUsedAtMs: expect.any(Number) });
  });

  it('gives no more than was approved', async () => {
    const { body } = await exchange({ scope: 'mcp:tools' });
    await decide(await open(String(body['interaction_uri'])), 'allow');
    expect(await agents.server.claims((await exchange()).body.access_token)).toMatchObject({
      scope: 'mcp:tools',
    });
    expect(outcome(await exchange({ scope: 'files:write' }))).toBe('interaction_required');
    expect(outcome(await exchange({ scope: 'mcp:tools files:write' }))).toBe('interaction_required');
  });

  it('RFC 8628 §3.5: can be asked for again with the request, while the person decides', async () => {
    const { request_id: id, interaction_uri: url } = (await exchange()).body as unknown as Record<
      string,
      string
    >;
    const poll = () => exchange({ request_id: id! });
    const refused = agents.server.audit.length;
    expect(outcome(await poll())).toBe('authorization_pending');
    expect(outcome(await poll())).toBe('slow_down');
    // Waiting is no event.
    expect(agents.server.audit.length).toBe(refused);
    await decide(await open(url!), 'allow');
    expect(outcome(await poll())).toBe('issued');
  });

  it('is refused for good when the person said no', async () => {
    const { request_id: id, interaction_uri: url } = (await exchange()).body as unknown as Record<
      string,
      string
    >;
    await decide(await open(url!), 'deny');
    expect(outcome(await exchange({ request_id: id! }))).toBe('access_denied');
    expect(outcome(await exchange())).toBe('access_denied');
  });

  it('is over after ten minutes', async () => {
    const { request_id: id, interaction_uri: url } = (await exchange()).body as unknown as Record<
      string,
      string
    >;
    const page = await open(url!);
    agents.server.clock.advanceSeconds(601);
    expect((await decide(page, 'allow')).status).toBe(400);
    expect((await open(url!)).html).toContain('It is too late');
    expect(outcome(await exchange({ request_id: id! }))).toBe('expired_token');
  });

  it('asks once, however often it is tried', async () => {
    const first = (await exchange()).body;
    expect((await exchange()).body).toEqual(first);
  });

  it('tells another agent nothing about a request', async () => {
    const { request_id: id } = (await exchange()).body as unknown as Record<string, string>;
    const parameters = { ...exchangeAs(person), request_id: id! };
    const answer = await agents.server.token(parameters);
    expect(['unauthorized_client', 'invalid_grant']).toContain(answer.body.error);
    const gateway = await agents.exchangeAtGateway(person, { request_id: id! });
    expect(gateway.body.error).toBe('invalid_grant');
    expect((await exchange({ request_id: 'made-up' })).body.error).toBe('invalid_grant');
  });
});

describe('attack: the link of a request for a delegation', () => {
  let url: string;
  beforeEach(async () => {
    url = String((await exchange()).body['interaction_uri']);
  });

  it('carries nothing about the person or the agent', () => {
    const { search, hash, pathname } = new URL(url);
    expect([search, hash]).toEqual(['', '']);
    for (const told of ['alice', 'reporter', 'mail']) expect(pathname).not.toContain(told);
  });

  it('shows and gives nothing to anybody else who signs in, and says why', async () => {
    const mallory = new TestBrowser();
    const page = await open(url, mallory, 'bob');
    expect(page.status).toBe(403);
    expect(page.html).toContain('made for somebody else');
    for (const told of ['alice', 'ALICE', 'Reporter', 'Mail']) expect(page.html).not.toContain(told);
    expect(page.html).not.toContain('<form');

    // Nor does a form that somebody makes up in their own session.
    const own = await open(url);
    const csrf = /name="csrf" value="([^"]*)"/.exec(own.html)![1]!;
    const forged = await mallory.open(url, { form: { csrf, decision: 'allow' } });
    expect(forged.status).toBe(403);
    expect(outcome(await exchange())).toBe('interaction_required');
    expect(agents.server.audit.filter(({ type }) => type === 'delegation')).toEqual([
      expect.objectContaining({ details: expect.objectContaining({ change: 'ask' }) }),
    ]);
  });

  it.each([
    ['another code', { csrf: 'x'.repeat(43) }, {}],
    ['no code', { csrf: '' }, {}],
    ['another origin', {}, { origin: 'https://evil.example.com' }],
    ['another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('is not approved by a form with %s', async (_case, fields, headers) => {
    const page = await open(url);
    const answer = await agents.server.browser.submit(page, { decision: 'allow', ...fields }, { headers });
    expect(answer.status).toBe(403);
    expect(outcome(await exchange())).toBe('interaction_required');
  });

  it('takes no form of another request', async () => {
    const other = String((await exchange({ scope: 'mcp:tools' })).body['interaction_uri']);
    const csrf = /name="csrf" value="([^"]*)"/.exec((await open(other)).html)![1]!;
    await open(url);
    const answer = await agents.server.browser.open(url, { form: { csrf, decision: 'allow' } });
    expect(answer.status).toBe(403);
  });

  it('decides once: opened or sent again it changes nothing', async () => {
    const page = await open(url);
    await decide(page, 'deny');
    expect((await decide(page, 'allow')).status).toBe(409);
    expect((await open(url)).html).toContain('You have denied');
    expect(outcome(await exchange())).toBe('access_denied');
  });

  it('is not approved by anything but a yes', async () => {
    await decide(await open(url), 'ALLOW');
    expect(outcome(await exchange())).toBe('access_denied');
  });

  it('says the same of a link that never was, whoever opens it', async () => {
    const made = `${agents.server.issuer}/delegations/${'x'.repeat(32)}`;
    expect((await new TestBrowser().open(made)).html).toContain('name="password"');
    expect((await open(made)).status).toBe(404);
    expect((await agents.server.browser.open(`${agents.server.issuer}/delegations/a.b`)).status).toBe(404);
  });

  it('is not approved for an agent that was suspended meanwhile', async () => {
    const page = await open(url);
    await agents.change('suspend');
    expect((await decide(page, 'allow')).status).toBe(400);
  });
});

function exchangeAs(subjectToken: string): Record<string, string> {
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: mail,
  };
}
