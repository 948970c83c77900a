import { Chromium, type Visit, describeWith } from '@behalf/testing';
import { agentId, agentResource, TestAgents } from './test-agents.js';
import { files, type Tokens } from './test-server.js';

const mail = 'https://mail.example/mcp';
const notes = 'https://notes.example/mcp';
const outcome = ({ status, body }: Tokens) => (status === 200 ? 'issued' : body.error);
const atClient = ({ host }: URL): boolean => host === 'client.example.com';

let agents: TestAgents;
beforeEach(async () => {
  const scopes = ['mcp:tools', 'files:write'];
  agents = await TestAgents.start({
    server: {
      resources: [
        { resource: agentResource, name: 'Reporter', scopes, servedBy: [agentId] },
        { resource: mail, name: 'Mail', scopes, delegation: 'grant' },
        { resource: notes, name: 'Notes', scopes, delegation: 'grant' },
        { resource: 'https://beyond.example/mcp', name: 'Beyond', scopes, delegation: 'grant' },
      ],
    },
  });
  await agents.create({ ceiling: { audiences: [mail, notes, files], scopes } });
});
afterEach(() => agents.close());

async function consentPage(parameters: Record<string, string> = {}): Promise<Visit> {
  const { browser } = agents.server;
  const wanted = { resource: agentResource, scope: 'mcp:tools', ...parameters };
  const page = await browser.open(agents.server.authorizationUrl(wanted), { stopAt: atClient });
  if (!page.html.includes('name="password"')) return page;
  return browser.submit(page, { username: 'alice', password: 'alice' }, { stopAt: atClient });
}
const offers = ({ html }: Visit) =>
  [...html.matchAll(/name="(delegate-[^"]*)"[\s\S]*?act for you at <strong>([^<]*)/g)].map(
    ([, field, name]) => ({
      field: field!,
      name,
    }),
  );
const decide = (page: Visit, fields: Record<string, string>) =>
  agents.server.browser.submit(page, { decision: 'allow', ...fields }, { stopAt: atClient });
async function tokenFrom({ url }: Visit): Promise<string> {
  const { body } = await agents.server.redeem(url.searchParams.get('code'), { resource: agentResource });
  return body.access_token;
}
const grants = async () => (await agents.admin('GET', '/grants?person=alice')).body.grants;

describe('delegation at sign-in', () => {
  it('offers what the agent behind the resource could use, and gives what was ticked', async () => {
    const page = await consentPage();
    expect(offers(page).map(({ name }) => name)).toEqual(['Mail', 'Notes']);
    for (const shown of ['Reporter', mail, 'Use its tools', 'Writes reports', '<time'])
      expect(page.html).toContain(shown);
    expect(page.html).not.toContain('checked');
    const back = await decide(page, { [offers(page)[0]!.field]: 'yes' });
    const person = await tokenFrom(back);
    expect(await grants()).toMatchObject([
      { agent: agentId, resource: mail, scopes: ['mcp:tools'], origin: 'sign-in', madeBy: 'alice' },
    ]);
    expect(outcome(await agents.exchange(person, { resource: mail }))).toBe('issued');
    expect(outcome(await agents.exchange(person, { resource: notes }))).toBe('interaction_required');
  });

  it('gives nothing that was not ticked, and nothing when the person denies', async () => {
    const page = await consentPage();
    const everything = Object.fromEntries(offers(page).map(({ field }) => [field, 'yes']));
    await decide(page, { ...everything, decision: 'deny' });
    expect(await grants()).toEqual([]);
    await decide(await consentPage(), {});
    expect(await grants()).toEqual([]);
  });

  it('does not offer again what was given', async () => {
    const page = await consentPage();
    await decide(page, { [offers(page)[0]!.field]: 'yes' });
    const more = await consentPage({
      scope: 'mcp:tools',
      redirect_uri: 'https://client.example.com/callback',
      prompt: 'consent',
    });
    expect(offers(more).map(({ name }) => name)).toEqual(['Notes']);
  });

  it('offers nothing where no agent is, or one that is stopped', async () => {
    expect(offers(await consentPage({ resource: mail }))).toEqual([]);
    await agents.change('suspend');
    expect(offers(await consentPage())).toEqual([]);
  });
});

describe('attack: delegation at sign-in', () => {
  it('gives nothing by a field of another request, or one that is made up', async () => {
    const narrow = offers(await consentPage())[0]!.field;
    // The same client asks for more: what was shown before does not stand for that.
    const page = await consentPage({ scope: 'mcp:tools files:write' });
    await decide(page, { [narrow]: 'yes', 'delegate-0': 'yes', [`delegate-${mail}`]: 'yes' });
    expect(await grants()).toEqual([]);
  });

  it('gives no scope beyond the ceiling, whatever the client asks for', async () => {
    const path = `/agents/${encodeURIComponent(agentId)}`;
    const { headers } = await agents.admin('GET', path);
    const ceiling = { audiences: [mail], scopes: ['mcp:tools'] };
    await agents.admin('PATCH', path, { ceiling }, { 'if-match': headers.get('etag')! });
    const page = await consentPage({ scope: 'mcp:tools files:write' });
    await decide(page, Object.fromEntries(offers(page).map(({ field }) => [field, 'yes'])));
    expect(await grants()).toMatchObject([{ resource: mail, scopes: ['mcp:tools'] }]);
  });
});

describeWith('chromium')('in a real browser', () => {
  it('can be ticked by its label', async () => {
    const browser = await Chromium.start();
    const wanted = { resource: agentResource, scope: 'mcp:tools' };
    await browser.open(agents.server.authorizationUrl(wanted).href);
    await browser.type('#username', 'alice');
    await browser.type('#password', 'alice');
    await browser.click('button');
    const [first] = await browser.accessibleNames('checkbox');
    expect(first).toMatch(
      /^Reporter may act for you at Mail .*: Use its tools\. What for: Writes reports\. Until /,
    );
    await browser.click('label', { leads: false });
    expect(await browser.fitsTheScreen()).toBe(true);
    expect(await browser.accessibilityFaults()).toEqual([]);
    const shots = process.env['SCREENSHOTS'];
    if (shots) await browser.screenshot(`${shots}/consent.png`);
    await browser.click('button[value=allow]');
    expect(await grants()).toMatchObject([{ resource: mail }]);
    await browser.close();
  });
});
