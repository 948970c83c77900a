import { Chromium, describeWith, readForm, TestBrowser, type Visit } from '@behalf/testing';
import { agentId, agentResource, TestAgents } from './test-agents.js';
import { basic, files, type Tokens } from './test-server.js';

const mail = 'https://mail.example/mcp';
const outcome = ({ status, body }: Tokens) => (status === 200 ? 'issued' : body.error);

let agents: TestAgents;
let account: string;
beforeEach(async () => {
  agents = await TestAgents.start({
    server: {
      resources: [
        { resource: agentResource, name: 'Reporter', scopes: ['mcp:tools'], servedBy: [agentId] },
        { resource: mail, name: 'Mail', scopes: ['mcp:tools', 'files:write'], delegation: 'grant' },
      ],
    },
  });
  await agents.create({ ceiling: { audiences: [mail, files], scopes: ['mcp:tools', 'files:write'] } });
  account = `${agents.server.issuer}/me`;
});
afterEach(() => agents.close());

const grant = async (changes: object = {}) => {
  const wanted = {
    person: 'alice',
    agent: agentId,
    resource: mail,
    scopes: ['mcp:tools'],
    purpose: 'Weekly mail',
  };
  const { body } = await agents.admin('POST', '/grants', { ...wanted, ...changes });
  return body;
};

async function open(browser = agents.server.browser, username = 'alice'): Promise<Visit> {
  const page = await browser.open(account);
  return page.html.includes('name="password"')
    ? browser.submit(page, { username, password: username })
    : page;
}

describe('/me', () => {
  it('asks who is there first, without asking for consent, and comes back', async () => {
    const signIn = await agents.server.browser.open(account);
    expect(signIn.html).toContain('Who acts for you');
    const page = await agents.server.browser.submit(signIn, { username: 'alice', password: 'alice' });
    expect(page.url.href).toBe(account);
    expect(page.html).toContain('No agent may act for you');
    for (const header of ['content-security-policy', 'x-frame-options', 'cache-control'])
      expect(page.headers.get(header)).toBeTruthy();
  });

  it('shows who may act, where, what for, since when, until when and when they last did', async () => {
    const person = await agents.personToken();
    await grant();
    const before = (await open()).html;
    for (const shown of [
      'Reporter',
      'ops@example.com',
      'Mail',
      mail,
      'Use its tools',
      'Weekly mail',
      agentId,
    ])
      expect(before).toContain(shown);
    expect(before.replace(/\s+/g, ' ')).toContain('<dt>Last used</dt> <dd>never</dd>');
    expect(outcome(await agents.exchange(person, { resource: mail }))).toBe('issued');
    const after = (await open()).html.replace(/\s+/g, ' ');
    expect(after).toMatch(/<dt>Last used<\/dt> <dd><time datetime="[^"]+">\d+ \w+ \d{4}.*? UTC<\/time>/);
  });

  it('ends a grant with one click: its tokens are refused at once, here and elsewhere', async () => {
    const point = await agents.enforcementPoint();
    const person = await agents.personToken();
    const { id } = await grant();
    const { access_token: token } = (await agents.exchange(person, { resource: mail })).body;
    expect(await point.verify(token, mail)).toBe('accepted');
    const page = await open();
    expect(readForm(page).action).toBe(`${account}/grants/${id}/revoke`);
    const after = await agents.server.browser.submit(page, {});
    expect(after.html).toContain('It takes effect at once');
    expect(after.html).toContain('No agent may act for you');
    await point.revoked;
    expect(await point.verify(token, mail)).toBe('invalid_token');
    expect(await agents.server.introspect(token, basic('gateway', 'gateway-secret'))).toEqual({
      active: false,
    });
    expect(outcome(await agents.exchange(person, { resource: mail }))).toBe('interaction_required');
    expect(agents.server.audit).toContainEqual(
      expect.objectContaining({
        person: 'alice',
        details: expect.objectContaining({ change: 'revoke', id }),
      }),
    );
    await point.close();
  });

  it('shows and ends what a person has agreed to at sign-in', async () => {
    const { access_token: token, refresh_token: refresh } = await agents.server.signIn();
    const page = await open();
    expect(page.html).toContain('Web &lt;App&gt;');
    const { action, fields } = readForm(page);
    expect(fields['client']).toBe('web-app');
    expect((await agents.server.browser.open(action, { form: fields })).html).toContain('None.');
    expect((await agents.server.refresh(refresh)).body.error).toBe('invalid_grant');
    expect(await agents.server.introspect(token, basic('web-app', 'web-app-secret'))).toEqual({
      active: false,
    });
  });
});

describe('signing out everywhere', () => {
  const end = async (page: Visit, browser = agents.server.browser) => {
    const { fields } = readForm(page);
    return browser.open(`${account}/sessions/end`, { form: { csrf: fields['csrf']! } });
  };

  it('ends every sign-in, what was issued in them, and what was exchanged for it', async () => {
    const point = await agents.enforcementPoint();
    const person = await agents.personToken();
    const { refresh_token: refresh } = await agents.server.signIn();
    const delegated = (await agents.exchange(person)).body.access_token;
    expect(await point.verify(delegated)).toBe('accepted');
    const other = new TestBrowser();
    const page = await open(other);
    expect(page.html).toContain('This browser');
    expect(page.html).toContain('Another browser');

    expect((await end(page, other)).html).toContain('You are signed out');
    await point.revoked;
    expect(await point.verify(delegated)).toBe('invalid_token');
    expect(outcome(await agents.exchange(person))).toBe('invalid_request');
    expect((await agents.server.refresh(refresh)).body.error).toBe('invalid_grant');
    for (const browser of [agents.server.browser, other])
      expect((await browser.open(account)).html).toContain('name="password"');
    await point.close();
  });

  it('leaves other people alone, and what the person has agreed to', async () => {
    const bob = new TestBrowser();
    const { refresh_token: refresh } = await agents.server.signIn({}, { username: 'bob', browser: bob });
    await agents.server.signIn();
    await end(await open());
    expect((await agents.server.refresh(refresh)).status).toBe(200);
    expect((await bob.open(account)).html).toContain('BOB');
    const again = await agents.server.signIn();
    expect(again.access_token).toBeDefined();
    expect(agents.server.browser.visited.filter((url) => url.endsWith('/consent'))).toHaveLength(1);
  });
});

describe('attack: /me', () => {
  it('shows nothing of others, and ends nothing of theirs', async () => {
    const { id } = await grant();
    const bob = new TestBrowser();
    const page = await open(bob, 'bob');
    expect(page.html).not.toContain('Reporter');
    await grant({ person: 'bob' });
    const own = readForm(await open(bob, 'bob'));
    const forged = await bob.open(`${account}/grants/${id}/revoke`, { form: own.fields });
    expect(forged.status).toBe(404);
    expect((await agents.admin('GET', `/grants/${id}`)).body.state).toBe('active');
  });

  it.each([
    ['another code', { csrf: 'x'.repeat(43) }, {}],
    ['another origin', {}, { origin: 'https://evil.example.com' }],
    ['another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('takes no form with %s', async (_case, fields, headers) => {
    const { id } = await grant();
    const page = await open();
    expect((await agents.server.browser.submit(page, fields, { headers })).status).toBe(403);
    expect((await agents.admin('GET', `/grants/${id}`)).body.state).toBe('active');
  });

  it("takes no form of another's session", async () => {
    const { id } = await grant();
    const { fields } = readForm(await open());
    const other = new TestBrowser();
    await open(other);
    expect((await other.open(`${account}/grants/${id}/revoke`, { form: fields })).status).toBe(403);
    const nobody = await new TestBrowser().open(`${account}/grants/${id}/revoke`, { form: fields });
    expect(nobody.status).toBe(403);
  });

  it('does not take a revocation by a link', async () => {
    const { id } = await grant();
    await open();
    expect((await agents.server.browser.open(`${account}/grants/${id}/revoke`)).status).toBe(404);
  });

  it('leads back to no page but its own, whatever the state says', async () => {
    await open();
    for (const state of [
      'https://evil.example',
      '//evil.example',
      'delegation.../x',
      'delegation.a/../b',
      '',
    ]) {
      const back = await agents.server.browser.open(
        `${account}/signed-in?state=${encodeURIComponent(state)}`,
      );
      expect(back.url.href).toBe(account);
    }
    const stranger = await new TestBrowser().open(`${account}/signed-in?state=me`);
    expect(stranger.status).toBe(403);
  });

  it('gives no token to who takes its client name', async () => {
    const { body } = await agents.server.token(
      { grant_type: 'client_credentials', client_id: 'behalf-account', resource: files },
      null,
    );
    expect(body.error).toBe('unauthorized_client');
    const elsewhere = await agents.server.browser.open(
      agents.server.authorizationUrl({ client_id: 'behalf-account', scope: 'openid', resource: undefined }),
    );
    expect(elsewhere.status).toBe(400);
  });
});

describeWith('chromium')('/me in a real browser, without JavaScript, on a phone', () => {
  let browser: Chromium;
  beforeEach(async () => {
    browser = await Chromium.start();
  });
  afterEach(() => browser.close());

  const signIn = async () => {
    await browser.type('#username', 'alice');
    await browser.type('#password', 'alice');
    await browser.click('button');
  };

  it('lets a person approve what an agent asks for, see it, and end it', async () => {
    const shots = process.env['SCREENSHOTS'];
    const shoot = async (name: string) => shots && browser.screenshot(`${shots}/${name}.png`);
    const person = await agents.personToken();
    const asked = await agents.exchange(person, { resource: mail });
    await browser.open(String(asked.body['interaction_uri']));
    await signIn();
    expect(await browser.text()).toContain('Let Reporter act for you?');
    expect(await browser.accessibleNames('button')).toEqual(['Approve', 'Deny']);
    expect(await browser.fitsTheScreen()).toBe(true);
    expect(await browser.accessibilityFaults()).toEqual([]);
    await shoot('request');
    await browser.click('button[value=allow]');
    expect(await browser.text()).toContain('You have approved');
    await shoot('approved');
    expect(outcome(await agents.exchange(person, { resource: mail }))).toBe('issued');

    await browser.click('a');
    expect(await browser.url()).toBe(account);
    expect(new Set(await browser.accessibleNames('heading'))).toEqual(
      new Set([
        'Who may act for you',
        'Agents',
        'Reporter',
        'Applications you have allowed',
        'Web <App>',
        'Where you are signed in',
      ]),
    );
    expect(new Set(await browser.accessibleNames('button'))).toEqual(
      new Set(['Stop it: Reporter at Mail', 'Remove its access: Web <App>', 'Sign out everywhere']),
    );
    expect(await browser.fitsTheScreen()).toBe(true);
    expect(await browser.accessibilityFaults()).toEqual([]);
    await shoot('account');
    await browser.click('article button');
    expect(await browser.text()).toContain('No agent may act for you');
    await shoot('ended');
    expect(outcome(await agents.exchange(person, { resource: mail }))).toBe('interaction_required');
  });

  it('explains to another person why the link is not for them', async () => {
    const asked = await agents.exchange(await agents.personToken(), { resource: mail });
    await browser.open(String(asked.body['interaction_uri']));
    await browser.type('#username', 'bob');
    await browser.type('#password', 'bob');
    await browser.click('button');
    expect(await browser.text()).toContain('made for somebody else');
    expect(await browser.accessibleNames('button')).toEqual([]);
    const shots = process.env['SCREENSHOTS'];
    if (shots) await browser.screenshot(`${shots}/another.png`);
  });
});
