import { readForm, TestBrowser } from '@behalf/testing';
import { TestServer } from './test-server.js';

const atClient = ({ host }: URL): boolean => host === 'client.example.com';

describe('sign-in page', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start();
  });
  afterEach(() => server.close());

  const wrong = { username: 'alice', password: 'wrong' };

  it('says the same of an unknown name and a wrong password', async () => {
    const page = await server.browser.open(server.authorizationUrl());
    const strip = (html: string): string => html.replace(/value="[^"]*"/g, '');
    const answers = [
      await server.browser.submit(page, wrong),
      await server.browser.submit(page, { username: 'nobody', password: 'wrong' }),
      await server.browser.submit(page, { username: 'alice', password: '' }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(strip(answer.html)).toBe(strip(answers[0]?.html ?? ''));
    }
    expect(server.audit.filter(({ outcome }) => outcome === 'refused')).toHaveLength(3);
    expect(JSON.stringify(server.audit)).not.toContain('wrong');
  });

  it('stops guessing after a number of attempts, and lets go on after a while', async () => {
    const page = await server.browser.open(server.authorizationUrl());
    for (let attempt = 0; attempt < 10; attempt++) await server.browser.submit(page, wrong);
    const right = { username: 'alice', password: 'alice' };
    const refused = await server.browser.submit(page, right);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await server.passSeconds(61);
    expect((await server.browser.submit(page, right)).html).toContain('name="decision"');
  });

  it.each([
    ['another code', { csrf: 'x'.repeat(43) }, {}],
    ['no code', { csrf: '' }, {}],
    ['another origin', {}, { origin: 'https://evil.example.com' }],
    ['another site', {}, { 'sec-fetch-site': 'cross-site' }],
  ])('mcp.md 39: refuses a form with %s', async (_case, fields, headers) => {
    const page = await server.browser.open(server.authorizationUrl());
    const answer = await server.browser.submit(
      page,
      { username: 'alice', password: 'alice', ...fields },
      { headers },
    );
    expect(answer.status).toBe(403);
    expect(answer.html).toContain('access_denied');
    expect(answer.html).not.toContain('name="decision"');
  });

  it("refuses another browser's interaction", async () => {
    const page = await server.browser.open(server.authorizationUrl());
    const other = new TestBrowser();
    const { action, fields } = readForm(page);
    const answer = await other.open(action, { form: { ...fields, username: 'alice', password: 'alice' } });
    expect(answer.status).toBe(400);
  });

  it('cannot be framed, loads nothing, runs nothing and is not stored', async () => {
    const { headers } = await server.browser.open(server.authorizationUrl());
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    // Browsers apply form-action to the redirect to the client, too.
    expect(policy).not.toContain('form-action');
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('same-origin');
  });

  it('names the client as text, whatever its name is', async () => {
    const { html } = await server.browser.open(server.authorizationUrl());
    expect(html).toContain('Web &lt;App&gt;');
    expect(html).not.toContain('<App>');
  });

  it('labels every field and tells its language', async () => {
    const { html } = await server.browser.open(server.authorizationUrl());
    expect(html).toContain('<html lang="en">');
    for (const [, id] of html.matchAll(/<input(?![^>]*type="hidden")[^>]*id="([^"]*)"/g)) {
      expect(html).toContain(`<label for="${id}">`);
    }
    expect(html).not.toContain('<script');
  });
});

describe('consent page', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.start();
  });
  afterEach(() => server.close());

  const consentPage = async (parameters: Record<string, string> = {}, browser = server.browser) => {
    const page = await browser.open(server.authorizationUrl(parameters), { stopAt: atClient });
    return page.html.includes('name="password"')
      ? browser.submit(page, { username: 'alice', password: 'alice' }, { stopAt: atClient })
      : page;
  };

  it('mcp.md 39: shows client, redirect host, resource and scopes in words', async () => {
    const { html } = await consentPage({ scope: 'openid mcp:tools files:write' });
    for (const shown of [
      'Web &lt;App&gt;',
      'client.example.com',
      'Files',
      'http://localhost:4003/mcp/files',
      'Use its tools',
      'Change files',
      'Know who you are',
      'ALICE',
    ]) {
      expect(html).toContain(shown);
    }
    expect(html).not.toContain('class="warning"');
  });

  it('mcp.md 13: warns of a client that lives on loopback only', async () => {
    const { body: client } = await server.register({
      redirect_uris: ['http://127.0.0.1/callback', 'http://localhost/callback'],
      token_endpoint_auth_method: 'none',
      client_name: 'CLI',
    });
    const { html } = await consentPage({
      client_id: String(client['client_id']),
      redirect_uri: 'http://127.0.0.1:7777/callback',
    });
    expect(html).toContain('class="warning"');
    expect(html).toContain('127.0.0.1:7777');
  });

  it.each([{ csrf: 'x' }, { csrf: '' }])('mcp.md 39: refuses a decision with %j', async (fields) => {
    const page = await consentPage();
    const answer = await server.browser.submit(page, { ...fields, decision: 'allow' }, { stopAt: atClient });
    expect(answer.status).toBe(403);
  });

  it('takes a missing decision for a no', async () => {
    const answer = await server.browser.submit(await consentPage(), {}, { stopAt: atClient });
    expect(answer.url.searchParams.get('error')).toBe('access_denied');
  });

  it('a code of one form does not fit another', async () => {
    const signIn = await server.browser.open(server.authorizationUrl());
    const { fields } = readForm(signIn);
    const page = await server.browser.submit(signIn, { username: 'alice', password: 'alice' });
    const answer = await server.browser.submit(page, { ...fields, decision: 'allow' }, { stopAt: atClient });
    expect(answer.status).toBe(403);
  });

  it('mcp.md 38: remembers a decision per person and client', async () => {
    await server.signIn({ scope: 'mcp:tools' });
    const again = await consentPage({ scope: 'mcp:tools' });
    expect(again.url.searchParams.get('code')).not.toBeNull();

    const elsewhere = await consentPage({ scope: 'mcp:tools' }, new TestBrowser());
    expect(elsewhere.url.searchParams.get('code')).not.toBeNull();

    const bob = new TestBrowser();
    const page = await bob.open(server.authorizationUrl({ scope: 'mcp:tools' }));
    const asked = await bob.submit(page, { username: 'bob', password: 'bob' }, { stopAt: atClient });
    expect(asked.html).toContain('name="decision"');
  });

  it('clients.md 4: asks again for more scope, and for another resource', async () => {
    const first = await server.signIn({ scope: 'mcp:tools' });
    expect((await consentPage({ scope: 'mcp:tools files:write' })).html).toContain('name="decision"');
    expect((await consentPage({ resource: 'http://localhost:4003/mcp/whoami' })).html).toContain(
      'name="decision"',
    );

    const second = await server.signIn({ scope: 'mcp:tools files:write' });
    const [before, after] = [
      await server.claims(first.access_token),
      await server.claims(second.access_token),
    ];
    expect(after['grant_id']).toBe(before['grant_id']);
    expect((await consentPage({ scope: 'files:write' })).url.searchParams.get('code')).not.toBeNull();
  });

  it('asks again when the answer is to go to another host', async () => {
    const { body: client } = await server.register({
      redirect_uris: ['https://client.example.com/callback', 'http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
    });
    const parameters = { client_id: String(client['client_id']) };
    expect((await server.authorize(parameters)).get('code')).not.toBeNull();
    expect((await consentPage(parameters)).url.searchParams.get('code')).not.toBeNull();
    const local = await consentPage({ ...parameters, redirect_uri: 'http://127.0.0.1:5000/callback' });
    expect(local.html).toContain('name="decision"');
  });

  it('asks again after the grant was ended', async () => {
    const { refresh_token: token } = await server.signIn();
    await server.post('/revoke', { token }, `Basic ${btoa('web-app:web-app-secret')}`);
    expect((await consentPage()).html).toContain('name="decision"');
  });

  it('the page that posts the answer to the client cannot be framed either', async () => {
    const url = server.authorizationUrl({ prompt: 'none', response_mode: 'form_post' });
    const response = await fetch(url);
    expect(await response.text()).toContain('<form method="post"');
    expect(response.headers.get('x-frame-options')).toBe('DENY');
  });

  it('prompt=none answers with an error instead of a page', async () => {
    const response = await server.authorize({ prompt: 'none' });
    expect(response.get('error')).toBe('login_required');
    expect(response.get('iss')).toBe(server.issuer);
  });

  it('a decision that cannot be recorded is not granted', async () => {
    const page = await consentPage();
    server.audit.push = () => {
      throw new Error('the disk is full');
    };
    const refused = await server.browser.submit(page, { decision: 'allow' }, { stopAt: atClient });
    expect(refused.status).toBe(500);
    server.audit.push = Array.prototype.push;
    expect((await consentPage()).html).toContain('name="decision"');
  });

  it('records sign-in, consent and the token', async () => {
    await server.signIn();
    expect(server.audit).toEqual([
      expect.objectContaining({ type: 'sign-in', outcome: 'allowed', person: 'alice' }),
      expect.objectContaining({ type: 'consent', outcome: 'allowed', person: 'alice', client: 'web-app' }),
      expect.objectContaining({ type: 'token', outcome: 'allowed', person: 'alice', client: 'web-app' }),
    ]);
  });
});

describe('sign-out', () => {
  it('asks, and ends the browser session', async () => {
    const server = await TestServer.start();
    await server.signIn();
    const page = await server.browser.open(`${server.issuer}/session/end`);
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    const done = await server.browser.submit(page, { logout: 'yes' });
    expect(done.status).toBe(200);
    expect(done.html).toContain('signed out');
    expect((await server.browser.open(server.authorizationUrl())).html).toContain('name="password"');
    await server.close();
  });
});
