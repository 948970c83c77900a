import { TestBrowser, type Visit, readForm } from '@behalf/testing';
import { elicitationRecords } from '@behalf/elicitation';
import { ThirdPartyError } from '@behalf/third-party';
import { type ConnectSystem, startConnectSystem } from './connect-system.fixture.js';

let system: ConnectSystem;
beforeAll(async () => {
  system = await startConnectSystem();
}, 60_000);
afterAll(() => system.close());

let calls = 0;
/** An asker that nobody has agreed to before. */
const fresh = () => ({ client: `https://editor.example/${(calls += 1)}.json`, names: {} });
const statusOf = async (id: string) => (await system.records.get(elicitationRecords, id))?.value.status;

describe('a person who is asked for their account', () => {
  it('sees who asks, through whom, for what and until when; agrees, connects, and the retry has the token', async () => {
    const offer = await system.offered();
    const { browser, page } = await system.open(offer.url, 'alice');
    for (const shown of [
      'ALICE',
      'Editor',
      'https://editor.example/client.json',
      'Calendar',
      'gateway',
      'list_events',
      'See your files',
      'UTC',
    ])
      expect(page.html).toContain(shown);
    const end = await system.answer(browser, page, 'allow');
    expect([end.status, end.url.pathname]).toEqual([200, '/callback/drive']);
    expect(end.html).toContain('Go back to your application');
    expect(await system.ask({ requestState: offer.requestState })).toMatchObject({
      outcome: 'token',
      accessToken: expect.stringMatching(/^token-/),
    });
  });

  it('is not sent to the provider again for another agent, but is asked', async () => {
    const { redeemed } = system.thirdParty;
    const offer = await system.offered(fresh());
    const { browser, page } = await system.open(offer.url, 'alice');
    expect(page.html).toContain('connected already');
    expect((await system.answer(browser, page, 'allow')).html).toContain('Connected');
    expect(system.thirdParty.redeemed).toBe(redeemed);
  });

  it('keeps the scopes it has when another one is added', async () => {
    const offer = await system.offered({ ...fresh(), scopes: ['files.write'] });
    const { browser, page } = await system.open(offer.url, 'alice');
    await system.answer(browser, page, 'allow');
    expect((await system.vault.find('alice', 'https://api.drive.example'))?.scopes.toSorted()).toEqual([
      'files.read',
      'files.write',
    ]);
  });

  it('is not sent to the provider again for what a scope of theirs gives as well, nor asked for it beside that', async () => {
    const mail = { resource: 'https://api.mail.example', scopes: ['mail.read', 'mail.all'] };
    const { browser, page } = await system.open((await system.offered({ ...fresh(), ...mail })).url, 'alice');
    expect(page.html).toContain('Read and send your mail');
    expect(page.html).not.toContain('Read your mail');
    await system.answer(browser, page, 'allow');
    expect((await system.vault.find('alice', mail.resource))?.scopes).toEqual(['mail.all']);
    const asker = { ...fresh(), ...mail, scopes: ['mail.read'] };
    const asking = await browser.open((await system.offered(asker)).url);
    expect(asking.html).toContain('connected already');
    await system.answer(browser, asking, 'allow');
    expect((await system.ask(asker)).outcome).toBe('token');
    // Their word was for the smaller one.
    expect((await system.ask({ ...asker, scopes: ['mail.all'] })).outcome).toBe('interaction_required');
  });

  it('is asked again about everybody who was let into the account before, when it is another one now', async () => {
    const { thirdParty } = system;
    const [one, other] = [
      { ...fresh(), person: 'carol', scopes: ['files.read'] },
      { ...fresh(), person: 'carol', scopes: ['files.write'] },
    ];
    const connect = async (asker: typeof one, account: string): Promise<void> => {
      thirdParty.accountId = account;
      const { browser, page } = await system.open((await system.offered(asker)).url, 'carol');
      await system.answer(browser, page, 'allow');
      thirdParty.accountId = undefined;
    };
    await connect(one, 'the private one');
    expect((await system.ask(one)).outcome).toBe('token');
    await connect(other, 'the one of the company');
    expect((await system.ask(other)).outcome).toBe('token');
    expect((await system.ask(one)).outcome).toBe('interaction_required');
  });

  it('can say no, and the asker is told so', async () => {
    const asker = fresh();
    const offer = await system.offered(asker);
    const { browser, page } = await system.open(offer.url, 'alice');
    expect((await system.answer(browser, page, 'deny')).html).toContain('Not allowed');
    await expect(system.ask({ ...asker, requestState: offer.requestState })).rejects.toMatchObject({
      refusal: { error: 'access_denied' },
    });
    expect((await browser.open(offer.url)).html).toContain('Not allowed');
  });

  it('can say no at the provider, look again, and agree', async () => {
    const offer = await system.offered({ ...fresh(), person: 'bob' });
    const { browser, page } = await system.open(offer.url, 'bob');
    system.thirdParty.tamper = (callback) => callback.set('error', 'access_denied');
    const refused = await system.answer(browser, page, 'allow');
    system.thirdParty.tamper = () => {};
    expect(refused.status).toBe(400);
    expect(refused.html).toContain(offer.id);
    const again = await browser.open(offer.url);
    expect((await system.answer(browser, again, 'allow')).html).toContain('Connected');
  });

  it.each([
    ['outcome_unknown', { isTimeout: true }, 504],
    ['unavailable', { isTimeout: true }, 504],
    ['outcome_unknown', {}, 502],
    ['unavailable', { retryAfterSeconds: 7 }, 502],
    ['malformed', {}, 502],
    ['client_refused', {}, 502],
    ['refused', {}, 502],
    ['forbidden_address', {}, 502],
    ['invalid_grant', {}, 400],
    ['mix_up', {}, 400],
  ] as const)('is told whose fault it was: %s %j is %i', async (problem, details, status) => {
    const mail = { resource: 'https://api.mail.example', scopes: ['mail.read'] };
    const offer = await system.offered({ ...fresh(), ...mail, person: 'bob' });
    const { browser, page } = await system.open(offer.url, 'bob');
    system.thirdParty.failure = new ThirdPartyError(problem, 'mail', details);
    const failed = await system.answer(browser, page, 'allow').finally(() => {
      system.thirdParty.failure = undefined;
    });
    expect(failed.status).toBe(status);
    expect(failed.html).toContain('nothing was connected');
    expect(failed.headers.get('retry-after')).toBe('retryAfterSeconds' in details ? '7' : null);
    expect(await statusOf(offer.id)).toBe('consented');
  });

  it('is told that a link is too late', async () => {
    const offer = await system.offered(fresh());
    system.clock.advanceSeconds(901);
    const { page } = await system.open(offer.url, 'alice');
    expect(page.html).toContain('Too late');
  });

  it('enters an API key on the page, and a wrong one is not kept', async () => {
    const offer = await system.offered({
      ...fresh(),
      resource: 'https://api.desk.example',
      scopes: ['tickets'],
    });
    const { browser, page } = await system.open(offer.url, 'alice');
    expect(page.html).toContain('type="password"');
    const { stored } = system.vault;
    for (const credential of ['bad-key', 'two words', 'line\r\nbreak', '']) {
      const refused = await system.answer(browser, page, 'allow', { credential });
      expect(refused.status).toBe(400);
      expect(refused.html).toContain('role="alert"');
      if (credential !== '') expect(refused.html).not.toContain(credential);
    }
    expect(system.vault.stored).toBe(stored);
    const end = await system.answer(browser, page, 'allow', { credential: 'good-key' });
    expect(end.html).toContain('Connected');
    expect(end.html).not.toContain('good-key');
  });
});

describe('an agent without a person in front of it', () => {
  const poll = async (id: string, token: string | undefined, headers: Record<string, string> = {}) => {
    const response = await fetch(`${system.publicUrl}/elicitations/${id}`, {
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('learns how far the person is, and waits no longer than there is something to wait for', async () => {
    const offer = await system.offered(fresh());
    const token = await system.tokenOf('calendar');
    expect(await poll(offer.id, token)).toMatchObject({
      status: 200,
      body: { status: 'pending', task_status: 'input_required', url: offer.url },
    });
    const waiting = poll(offer.id, token, { prefer: 'wait=20' });
    const { browser, page } = await system.open(offer.url, 'alice');
    await system.answer(browser, page, 'allow');
    expect((await waiting).body).toMatchObject({ status: 'completed', task_status: 'completed' });
  });

  it('learns nothing of what it did not ask for, and nobody does without a token of its own', async () => {
    const { id } = await system.offered(fresh());
    expect((await poll(id, await system.tokenOf('mail-server'))).status).toBe(404);
    expect((await poll(id, undefined)).status).toBe(401);
    expect(
      (await poll('11111111-1111-1111-1111-111111111111', await system.tokenOf('calendar'))).status,
    ).toBe(404);
  });
});

describe('connections', () => {
  it('are listed with who uses them, and ended at the provider, too', async () => {
    const asker = { ...fresh(), person: 'bob', resource: 'https://api.mail.example', scopes: ['mail.read'] };
    const offer = await system.offered(asker);
    const { browser, page } = await system.open(offer.url, 'bob');
    await system.answer(browser, page, 'allow');
    const listed = await browser.open(`${system.publicUrl}/connections`);
    for (const shown of ['Mail', 'Works.', 'Read your mail', asker.client, 'gateway → calendar'])
      expect(listed.html).toContain(shown);
    const waiting = await system.offered({ ...asker, ...fresh() });
    const form =
      /<section aria-labelledby="[^"]*">\s*<h2 id="[^"]*">Mail<\/h2>[\s\S]*?<\/section>/.exec(
        listed.html,
      )?.[0] ?? '';
    const { action, fields } = readForm({ ...listed, html: form }, '/disconnect');
    const ended = await browser.open(action, { form: fields });
    expect(ended.html).toContain('Mail is disconnected. It was ended at the provider, too.');
    expect(system.thirdParty.revoked).toHaveLength(1);
    expect(await statusOf(waiting.id)).toBe('cancelled');
    expect((await system.ask(asker)).outcome).toBe('interaction_required');
  });

  it('are nobody else’s to end', async () => {
    const { browser, page } = await system.open(`${system.publicUrl}/connections`, 'bob');
    const alices = (await system.vault.list('alice'))[0]!;
    const { fields } = readForm(page, '/disconnect');
    for (const form of [{ ...fields, connection: alices.id }, { connection: alices.id }])
      expect((await browser.open(`${system.publicUrl}/connections/disconnect`, { form })).status).toBe(403);
    expect(await system.vault.list('alice')).toContainEqual(alices);
    expect(
      (await new TestBrowser().open(`${system.publicUrl}/connections/disconnect`, { form: fields })).status,
    ).toBe(403);
  });

  describe('by one agent of several', () => {
    const asker = { ...fresh(), person: 'bob' };
    const other = { ...fresh(), person: 'bob' };
    const address = () => `${system.publicUrl}/connections/withdraw`;
    const listed = async () => system.open(`${system.publicUrl}/connections`, 'bob');
    beforeAll(async () => {
      for (const one of [asker, other]) {
        const { browser, page } = await system.open((await system.offered(one)).url, 'bob');
        await system.answer(browser, page, 'allow');
      }
    });
    /** The form beside this client. */
    const formOf = (page: Visit, client: string) => {
      const item = page.html.split('<li>').find((html) => html.includes(client) && html.includes('<form'));
      return readForm({ ...page, html: item ?? '' }, '/withdraw').fields;
    };

    it('are not taken from it by another site, another person, or the code of another form', async () => {
      const { browser, page } = await listed();
      const fields = formOf(page, asker.client);
      const alice = await system.open(`${system.publicUrl}/connections`, 'alice');
      const elsewhere = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
      const refused = [
        await browser.open(address(), { form: fields, headers: elsewhere }),
        await browser.open(address(), { form: { consent: fields['consent']! } }),
        await browser.open(address(), { form: { ...fields, csrf: formOf(page, other.client)['csrf']! } }),
        await alice.browser.open(address(), { form: fields }),
        await new TestBrowser().open(address(), { form: fields }),
      ];
      expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
      expect((await system.ask(asker)).outcome).toBe('token');
    });

    it('are taken from it alone, by its person, with a record, and it has to ask at its next use', async () => {
      const { browser, page } = await listed();
      const ended = await browser.open(address(), { form: formOf(page, asker.client) });
      expect(ended.html).toContain('calendar may not use your Drive ');
      expect(ended.html).not.toContain(asker.client);
      expect(ended.html).toContain(other.client);
      expect(system.audit.at(-1)).toMatchObject({
        type: 'elicitation',
        person: 'bob',
        client: asker.client,
        details: { step: 'consent withdrawn', provider: 'drive' },
      });
      expect((await system.ask(asker)).outcome).toBe('interaction_required');
      expect((await system.ask(other)).outcome).toBe('token');
      // Sent again: it is gone.
      expect((await browser.open(address(), { form: formOf(page, asker.client) })).status).toBe(404);
    });
  });
});
