import { TestBrowser, type Visit, readForm } from '@behalf/testing';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { type McpAnswer, callTool, legacyRequest, mcpRequest } from './mcp-request.fixture.js';
import { signIn } from './oauth-client.fixture.js';

const tool = 'gzip-file-as-resource';
const decisionOf = (answer: McpAnswer) => answer.body.result._meta?.['behalf/approval'];
let serial = 0;
/** A call that nobody has made before. */
const newArguments = () => ({
  name: `file-${++serial}.gz`,
  data: `data:text/plain,${serial}`,
  outputType: 'resource',
});

let system: DemoSystem;
let url: string;
let bobsToken: string;
beforeAll(async () => {
  system = await startDemoSystem();
  url = system.mcpUrl('everything');
  bobsToken = (await signIn(system, { username: 'bob', resource: url })).access_token;
}, startTimeoutMs);
afterAll(() => system.close());

const call = (args: Record<string, unknown>, token = bobsToken) => callTool(url, tool, args, { token });
const refused = (answer: McpAnswer) => answer.body.result.isError === true;

/** Opens the page of a request as a person does: the link, the sign-in, and back. */
async function openPage(address: string, username: string): Promise<{ browser: TestBrowser; page: Visit }> {
  const browser = new TestBrowser();
  const back = await browser.signInAndConsent(address, {
    username,
    stopAt: ({ pathname }) => pathname === '/approvals/callback',
  });
  return { browser, page: await browser.open(back) };
}

async function answerAs(username: string, address: string, answer: 'approve' | 'deny'): Promise<Visit> {
  const { browser, page } = await openPage(address, username);
  return browser.submit(page, { answer });
}

describe('a call that another human has to approve', () => {
  it('is made exactly once, after alice approved what she saw', async () => {
    const args = newArguments();
    const first = await call(args);
    expect(first.body.result.isError).toBe(true);
    const { id, url: address, status } = decisionOf(first);
    expect([address, status]).toEqual([`${system.config.policy.publicUrl}/approvals/${id}`, 'pending']);
    expect(first.body.result.content[0].text).toContain(address);
    // Asking again is asking for the same.
    expect(decisionOf(await call(args)).id).toBe(id);

    const { browser, page } = await openPage(address, 'alice');
    for (const shown of ['bob', 'everything', tool, args.data]) expect(page.html).toContain(shown);
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect((await browser.submit(page, { answer: 'approve' })).status).toBe(200);

    const made = await call(args);
    expect(refused(made)).toBe(false);
    expect(made.body.result.content[0].resource.mimeType).toBe('application/gzip');

    const again = await call(args);
    expect(refused(again)).toBe(true);
    expect(decisionOf(again).id).not.toBe(id);
  });

  it('is listed for those who may decide, without its arguments', async () => {
    const args = newArguments();
    const { url: address } = decisionOf(await call(args));
    const all = `${system.config.policy.publicUrl}/approvals`;
    const [alices, carols] = [await openPage(all, 'alice'), await openPage(all, 'carol')];
    expect(alices.page.html).toContain(`href="${address}"`);
    expect(alices.page.html).not.toContain(args.data);
    expect(carols.page.html).not.toContain(address);
    expect(carols.page.html).toContain('Nothing waits for you');
    await alices.browser.submit(await alices.browser.open(address), { answer: 'deny' });
    expect((await alices.browser.open(all)).html).not.toContain(address);
  });

  it('is made once, however many repeat it at the same time', async () => {
    const args = newArguments();
    await answerAs('alice', decisionOf(await call(args)).url, 'approve');
    const answers = await Promise.all([1, 2, 3, 4].map(() => call(args)));
    expect(answers.filter((answer) => !refused(answer))).toHaveLength(1);
  });

  it('is asked for anew with another argument, and stays approved as it was', async () => {
    const args = newArguments();
    const { id, url: address } = decisionOf(await call(args));
    await answerAs('alice', address, 'approve');
    const changed = await call({ ...args, data: 'data:text/plain,other' });
    expect(refused(changed)).toBe(true);
    expect(decisionOf(changed).id).not.toBe(id);
    expect(refused(await call(args))).toBe(false);
  });

  it('is not made for another person, or through another agent, by that approval', async () => {
    const args = newArguments();
    const { id, url: address } = decisionOf(await call(args));
    await answerAs('alice', address, 'approve');
    const carols = (await signIn(system, { username: 'carol', resource: url })).access_token;
    const otherClient = (
      await signIn(system, {
        username: 'bob',
        resource: url,
        clientId: 'demo-agent',
        secret: 'demo-agent-secret',
      })
    ).access_token;
    for (const token of [carols, otherClient]) {
      const answer = await call(args, token);
      expect(refused(answer)).toBe(true);
      expect(decisionOf(answer).id).not.toBe(id);
    }
  });

  it('stays refused once alice said no, and nobody is asked again', async () => {
    const args = newArguments();
    const { id, url: address } = decisionOf(await call(args));
    await answerAs('alice', address, 'deny');
    expect(decisionOf(await call(args))).toMatchObject({ id, status: 'denied' });
  });

  it('is asked for in the earlier era, too', async () => {
    const params = { name: tool, arguments: newArguments() };
    const options = { token: bobsToken, version: '2025-11-25' };
    const first = await legacyRequest(url, 'tools/call', params, options);
    expect(first.body.result.content[0].text).toContain('/approvals/');
    await answerAs('alice', decisionOf(first).url, 'approve');
    expect((await legacyRequest(url, 'tools/call', params, options)).body.result.isError).toBeUndefined();
  });

  it('is asked for as a URL elicitation where the client can open one', async () => {
    const _meta = { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { url: {} } } };
    const params = { name: tool, arguments: newArguments(), _meta };
    const ask = (more = {}) => mcpRequest(url, 'tools/call', { ...params, ...more }, { token: bobsToken });
    const { result } = (await ask()).body;
    expect(result).toMatchObject({
      resultType: 'input_required',
      inputRequests: { 'behalf/approval': { method: 'elicitation/create', params: { mode: 'url' } } },
    });
    const inputResponses = { 'behalf/approval': { action: 'accept' } };
    // To have opened the page is not to have been approved.
    expect(refused(await ask({ inputResponses }))).toBe(true);
    await answerAs('alice', result.inputRequests['behalf/approval'].params.url, 'approve');
    expect((await ask({ inputResponses })).body.result.resultType).toBe('complete');
  });
});

describe('nobody approves who must not', () => {
  it('not bob what he asked for himself: the page has no such button, and the form is refused', async () => {
    const args = newArguments();
    const { browser, page } = await openPage(decisionOf(await call(args)).url, 'bob');
    expect(page.html).toContain(args.data);
    expect(page.html).not.toContain('value="approve"');
    expect((await browser.submit(page, { answer: 'approve' })).status).toBe(403);
    expect(refused(await call(args))).toBe(true);
  });

  it('not carol, who may not even see it', async () => {
    const args = newArguments();
    const { page } = await openPage(decisionOf(await call(args)).url, 'carol');
    expect(page.status).toBe(404);
    expect(page.html).not.toContain(args.data);
  });

  it("not the agent's token, nor the gateway's, nor the approver's id as a claim of anybody", async () => {
    const args = newArguments();
    const { url: address } = decisionOf(await call(args));
    const alices = (await signIn(system, { username: 'alice', resource: url })).access_token;
    for (const token of [bobsToken, alices]) {
      for (const path of ['', '/decision']) {
        const response = await fetch(`${address}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ approve: true }),
        });
        expect([401, 403]).toContain(response.status);
      }
    }
    expect(refused(await call(args))).toBe(true);
  });

  it.each([
    ['without its code', { csrf: '' }, {}],
    ['from another site', {}, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ])('not a form %s', async (_how, fields, headers) => {
    const args = newArguments();
    const { browser, page } = await openPage(decisionOf(await call(args)).url, 'alice');
    expect((await browser.submit(page, { answer: 'approve', ...fields }, { headers })).status).toBe(403);
    expect(refused(await call(args))).toBe(true);
  });

  it('not with the code of another request', async () => {
    const [one, other] = [newArguments(), newArguments()];
    const first = decisionOf(await call(one)).url;
    const second = decisionOf(await call(other)).url;
    const { browser, page } = await openPage(first, 'alice');
    const { fields } = readForm(page);
    const form = { ...fields, answer: 'approve' };
    expect((await browser.open(`${second}/decision`, { form })).status).toBe(403);
    expect(refused(await call(other))).toBe(true);
  });

  it('not a browser that finishes the sign-in of another one, or repeats its own', async () => {
    const { url: address } = decisionOf(await call(newArguments()));
    const victim = new TestBrowser();
    const back = await victim.signInAndConsent(address, {
      username: 'alice',
      stopAt: ({ pathname }) => pathname === '/approvals/callback',
    });
    expect((await new TestBrowser().open(back)).status).toBe(403);
    // The attempt has used the state up, whoever made it.
    expect((await victim.open(back)).status).toBe(403);
  });

  it('not with a cookie that was made up', async () => {
    const { url: address } = decisionOf(await call(newArguments()));
    const response = await fetch(`${address}/decision`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: `approver=${Buffer.from(JSON.stringify({ sub: 'alice', isApprover: true })).toString('base64url')}`,
      },
      body: 'answer=approve',
    });
    expect(response.status).toBe(403);
  });
});
