import { TestBrowser, type Visit, readForm } from '@behalf/testing';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { goThrough } from './go-through.fixture.js';
import { signIn } from './oauth-client.fixture.js';
import { connectWithToken, textOf } from './token-client.fixture.js';

let system: DemoSystem;
let url: string;
beforeAll(async () => {
  system = await startDemoSystem();
  url = system.mcpUrl('drive');
}, startTimeoutMs);
afterAll(() => system.close());

const tokenOf = async (username: string) => (await signIn(system, { username, resource: url })).access_token;
const bearer = (token: string) => ({ requestInit: { headers: { authorization: `Bearer ${token}` } } });

describe('a tool that needs an account at a third party', () => {
  const browser = new TestBrowser();

  it('asks for it by a URL, and the call goes on when the person has connected it', async () => {
    const shown: string[] = [];
    const pages: Visit[] = [];
    const client = await connectWithToken(url, await tokenOf('alice'), async (link) => {
      shown.push(link);
      pages.push(await goThrough(link, 'alice', browser));
    });
    const result = await client.callTool({ name: 'list_files' });
    await client.close();
    expect(pages[0]?.html).toContain('Go back to your application');
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatch(
      new RegExp(`^${system.config.elicitation.publicUrl}/connect\\?e=[0-9a-f-]{36}$`),
    );
    expect(JSON.parse(textOf(result))).toMatchObject({ account: 'alice@drive' });
  });

  it('is called again without asking, by a client of the earlier era too', async () => {
    const client = new ClientV1({ name: 'test', version: '1' });
    await client.connect(new TransportV1(new URL(url), bearer(await tokenOf('alice'))));
    const result = await client.callTool({ name: 'list_files' });
    await client.close();
    expect(textOf(result)).toContain('alice@drive');
  });

  it('gives a client that shows no URLs the link in words, and another client of the same person is asked again', async () => {
    const { access_token } = await signIn(system, {
      username: 'alice',
      resource: url,
      clientId: 'demo-client',
    });
    const client = await connectWithToken(url, access_token);
    const first = await client.callTool({ name: 'list_files' });
    expect(first.isError).toBe(true);
    const [link = ''] = /http:\S+\/connect\?e=[0-9a-f-]+/.exec(textOf(first)) ?? [];
    const page = await goThrough(link, 'alice');
    expect(page.html).toContain('Connected');
    expect(textOf(await client.callTool({ name: 'list_files' }))).toContain('alice@drive');
    await client.close();
  });

  it("is nobody else's account: the link of one leads another nowhere", async () => {
    let refusal: Visit | undefined;
    const client = await connectWithToken(url, await tokenOf('bob'), async (link) => {
      const stranger = new TestBrowser();
      const back = await stranger.signInAndConsent(link, {
        username: 'carol',
        stopAt: ({ pathname }) => pathname === '/sign-in/callback',
      });
      refusal = await stranger.open(back);
      await goThrough(link, 'bob');
    });
    const result = await client.callTool({ name: 'list_files' });
    await client.close();
    expect(refusal?.status).toBe(403);
    expect(JSON.parse(textOf(result))).toMatchObject({ account: 'bob@drive' });
  });

  it('is called for a client that never gets its token', async () => {
    const { publicUrl, paths } = system.config.elicitation;
    const resource = `${publicUrl}${paths.forward}/drive`;
    const api = new URL(system.config.elicitation.providers[0]?.resources?.[0] ?? '');
    const { access_token } = await signIn(system, { username: 'alice', resource, clientId: 'demo-client' });
    const call = (method: string) =>
      fetch(`${resource}/${api.host}/api/files`, {
        method,
        headers: { authorization: `Bearer ${access_token}` },
      });
    const asked = await call('GET');
    expect(asked.status).toBe(403);
    const { interaction_uri, interaction_message } = (await asked.json()) as Record<string, string>;
    expect(interaction_message).toContain('Demo client needs your Demo Drive account');
    await goThrough(interaction_uri ?? '', 'alice');
    const answer = await call('GET');
    expect([answer.status, await answer.json()]).toMatchObject([200, { account: 'alice@drive' }]);
    expect((await call('DELETE')).status).toBe(403);
  });

  it('is taken from one agent by its person, and asked for anew', async () => {
    const token = await tokenOf('alice');
    const call = async () => {
      const client = await connectWithToken(url, token);
      const result = await client.callTool({ name: 'list_files' });
      await client.close();
      return result;
    };
    // What was lent a moment ago is kept, and must not be given out again.
    for (let n = 0; n < 2; n++) expect(textOf(await call())).toContain('alice@drive');
    const listed = await browser.open(`${system.config.elicitation.publicUrl}/connections`);
    // Another client of alice has a consent of its own, which stays.
    const html =
      listed.html.split('<li>').find((item) => item.includes('<form') && !item.includes('demo-client')) ?? '';
    const { action, fields } = readForm({ ...listed, html }, '/connections/withdraw');
    await browser.open(action, { form: fields });
    // Within one process by the very next call; between several as soon as the event is there.
    let next = await call();
    while (system.fleet && !next.isError) next = await call();
    expect(next.isError).toBe(true);
  });

  it('is ended by the person, here and there, and then asks anew', async () => {
    const listed = await browser.open(`${system.config.elicitation.publicUrl}/connections`);
    expect(listed.html).toContain('Demo Drive');
    const { action, fields } = readForm(listed, '/connections/disconnect');
    const ended = await browser.open(action, { form: fields });
    expect(ended.html).toContain('Demo Drive is disconnected. It was ended at the provider, too.');
    const client = await connectWithToken(url, await tokenOf('alice'));
    expect((await client.callTool({ name: 'list_files' })).isError).toBe(true);
    await client.close();
  });
});
