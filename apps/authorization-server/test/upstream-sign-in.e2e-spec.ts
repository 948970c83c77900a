import { createHash } from 'node:crypto';
import { jest } from '@jest/globals';
import { freePort, TestBrowser, type Visit } from '@behalf/testing';
import { TestServer } from './test-server.js';
import { startUpstreamProvider, type UpstreamProvider } from './upstream-provider.js';

const atClient = ({ host }: URL): boolean => host === 'client.example.com';

describe('sign-in at an upstream OpenID provider', () => {
  let server: TestServer;
  let upstream: UpstreamProvider;
  beforeEach(async () => {
    // The library warns of what makes a good upstream for tests.
    for (const level of ['info', 'warn'] as const) jest.spyOn(console, level).mockImplementation(() => {});
    const port = await freePort();
    const issuer = `http://localhost:${port}`;
    upstream = await startUpstreamProvider(`${issuer}/sign-in/callback`, { ada: ['eng'] });
    server = await TestServer.start({
      server: {
        issuer,
        signIn: {
          method: 'upstream',
          issuer: upstream.issuer,
          clientId: 'behalf',
          clientSecretEnv: 'UPSTREAM_SECRET',
          scope: 'openid profile',
        },
      },
      environment: { UPSTREAM_SECRET: 'upstream-secret' },
    });
  });
  afterEach(async () => {
    await server.close();
    await upstream.close();
  });

  const signInAs = async (
    login: string,
    browser = new TestBrowser(),
    stopAt: (url: URL) => boolean = atClient,
  ): Promise<Visit> => {
    const form = await browser.open(server.authorizationUrl());
    expect(form.url.origin).toBe(upstream.issuer);
    return browser.submit(form, { login, password: 'any' }, { stopAt });
  };
  const tokensFor = async (login: string) => {
    const browser = new TestBrowser();
    let at = await signInAs(login, browser);
    if (!atClient(at.url)) at = await browser.submit(at, { decision: 'allow' }, { stopAt: atClient });
    const { body } = await server.redeem(at.url.searchParams.get('code'));
    return server.claims(body.access_token);
  };

  it('gives a person one sub of our own, whatever the upstream calls them, with their groups', async () => {
    const first = await tokensFor('ada');
    expect(first.sub).toMatch(/^person_/);
    expect(first['groups']).toEqual(['eng']);
    expect((await tokensFor('ada')).sub).toBe(first.sub);
    expect((await tokensFor('grace')).sub).not.toBe(first.sub);
  });

  it('an upstream sub never equals a local one', async () => {
    expect((await tokensFor('alice')).sub).not.toBe('alice');
  });

  it('shows the name that the upstream told', async () => {
    expect((await signInAs('ada')).html).toContain('Upstream ada');
  });

  const atCallback = ({ pathname }: URL): boolean => pathname === '/sign-in/callback';

  it('takes an answer once', async () => {
    const browser = new TestBrowser();
    const { url } = await signInAs('ada', browser, atCallback);
    expect((await browser.open(url, { stopAt: atClient })).html).toContain('name="decision"');
    const again = await browser.open(url);
    expect(again.status).toBe(403);
    expect(again.html).toContain('access_denied');
  });

  it('RFC 9700 §4.7: refuses an answer in another browser than the one that asked', async () => {
    const { url } = await signInAs('mallory', new TestBrowser(), atCallback);
    const victim = new TestBrowser();
    await victim.open(server.authorizationUrl());
    expect((await victim.open(url)).status).toBe(403);
  });

  it('refuses a cookie of the right name that was not set with the redirect', async () => {
    const { url } = await signInAs('mallory', new TestBrowser(), atCallback);
    const state = createHash('sha256')
      .update(url.searchParams.get('state') ?? '')
      .digest('base64url');
    const cookie = `sign-in-${state.slice(0, 16)}=forged`;
    expect((await new TestBrowser().open(url, { headers: { cookie } })).status).toBe(403);
  });

  it.each([
    ['another state', (url: URL) => url.searchParams.set('state', 'made-up')],
    ['another code', (url: URL) => url.searchParams.set('code', 'made-up')],
    ['another iss', (url: URL) => url.searchParams.set('iss', 'https://evil.example.com')],
    [
      'an error',
      (url: URL) => {
        url.searchParams.delete('code');
        url.searchParams.set('error', 'access_denied');
      },
    ],
  ])('refuses an answer with %s', async (_case, change) => {
    const browser = new TestBrowser();
    const { url } = await signInAs('ada', browser, atCallback);
    change(url);
    const page = await browser.open(url);
    expect(page.status).toBe(403);
    expect(page.html).not.toContain('name="decision"');
    expect(server.audit).toContainEqual(expect.objectContaining({ type: 'sign-in', outcome: 'refused' }));
  });

  it('starts while the upstream is down, says so, and works once it is back', async () => {
    const { issuer } = upstream;
    await upstream.close();
    const page = await new TestBrowser().open(server.authorizationUrl());
    expect(page.status).toBe(503);
    expect(page.html).toContain('temporarily_unavailable');
    expect(page.html).not.toContain(issuer);
  });
});
