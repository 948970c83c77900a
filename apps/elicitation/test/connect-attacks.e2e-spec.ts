import { elicitationRecords } from '@behalf/elicitation';
import type { EventContract } from '@behalf/ports';
import { TestBrowser, type Visit, readForm } from '@behalf/testing';
import { agentSuspended, connectionChanged, revocationCreated } from '@behalf/contracts';
import { setTimeout } from 'node:timers/promises';
import { type ConnectSystem, startConnectSystem } from './connect-system.fixture.js';

let system: ConnectSystem;
beforeAll(async () => {
  system = await startConnectSystem();
}, 60_000);
afterAll(() => system.close());

let calls = 0;
const fresh = (more: object = {}) => ({
  client: `https://editor.example/${(calls += 1)}.json`,
  names: {},
  ...more,
});
const statusOf = async (id: string) => (await system.records.get(elicitationRecords, id))?.value.status;
const isAtCallback = ({ pathname }: URL) => pathname.startsWith('/callback/');

/** Agrees, and stops with the address that the provider sends the browser back to. */
async function cameBack(url: string, username: string, browser = new TestBrowser()) {
  const { page } = await system.open(url, username, browser);
  const back = await browser.submit(page, { answer: 'allow' }, { stopAt: isAtCallback });
  return { browser, back: back.url, page };
}
/** As `cameBack`, for accounts that nobody has connected yet. */
let accounts = 0;
async function newTrip(username = 'alice') {
  // A wider scope each time makes every trip go to the provider.
  const scopes = (accounts += 1) % 2 === 0 ? ['files.read', 'files.write'] : ['files.read'];
  for (const { id } of await system.vault.list(username)) await system.vault.disconnect(id, username);
  const offer = await system.offered(fresh({ person: username, scopes }));
  return { offer, ...(await cameBack(offer.url, username)) };
}
const connected = (page: Visit) => page.html.includes('<title>Connected</title>');

describe('a link that was sent to somebody else', () => {
  it('leads nowhere for them, says why, and tells nothing of whose it is', async () => {
    const offer = await system.offered();
    const { browser, page } = await system.open(offer.url, 'bob');
    expect(page.status).toBe(403);
    expect(page.html).toContain('made for somebody else');
    for (const secret of ['alice', 'Editor', 'Calendar', 'See your files', '<form'])
      expect(page.html).not.toContain(secret);
    expect(await statusOf(offer.id)).toBe('pending');
    expect(system.audit.at(-1)).toMatchObject({
      type: 'elicitation',
      person: 'bob',
      details: { reason: 'other_person' },
    });

    // Nor by a form that they fill in themselves, with the code of a request of their own.
    const own = await system.offered(fresh({ person: 'bob' }));
    const { fields } = readForm(await browser.open(own.url));
    const forged = await browser.open(`${system.publicUrl}/connect`, {
      form: { ...fields, e: offer.id, answer: 'allow' },
    });
    expect(forged.status).toBe(403);
    expect(await statusOf(offer.id)).toBe('pending');
  });

  it('can be opened after all by whom it is for, on the same machine', async () => {
    const offer = await system.offered(fresh());
    const { browser, page } = await system.open(offer.url, 'bob');
    const [, again = ''] = /href="([^"]*switch=1)"/.exec(page.html) ?? [];
    const asAlice = await system.open(again.replaceAll('&amp;', '&'), 'alice', browser);
    expect(asAlice.page.html).toContain('ALICE');
  });
});

describe('an address that was changed', () => {
  it.each([
    ['another id', (url: string) => url.replace(/e=.*/, 'e=11111111-1111-1111-1111-111111111111')],
    ['no id', (url: string) => url.replace(/\?.*/, '')],
    ['two ids', (url: string) => `${url}&e=11111111-1111-1111-1111-111111111111`],
    ['a path for an id', (url: string) => url.replace(/e=.*/, 'e=..%2F..%2Fconnections')],
  ])('with %s leads nowhere', async (_what, change) => {
    const offer = await system.offered();
    const { browser } = await system.open(offer.url, 'alice');
    expect((await browser.open(change(offer.url))).status).toBe(404);
  });

  it('sends nobody to another site, before or after the sign-in', async () => {
    const { url } = await system.offered();
    for (const more of [
      'returnTo=https://evil.example',
      'redirect_uri=https://evil.example',
      'next=//evil.example',
    ]) {
      const { page } = await system.open(`${url}&${more}`, 'alice');
      expect(page.url.origin).toBe(system.publicUrl);
      expect(page.html).not.toContain('evil.example');
    }
  });
});

describe('before the person has agreed', () => {
  it('no state exists, no cookie of a trip is set, and nobody is sent to the provider', async () => {
    const offer = await system.offered(fresh());
    const { page } = await system.open(offer.url, 'alice');
    expect(page.headers.getSetCookie().join()).not.toContain('provider-');
    expect(page.url.origin).toBe(system.publicUrl);
  });

  it.each([
    ['without its code', { csrf: '' }, {}],
    ['with a code that was made up', { csrf: 'A'.repeat(43) }, {}],
    ['from another site', {}, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['from a page in a frame without an origin', {}, { origin: 'null' }],
  ])('a form %s is refused', async (_how, fields, headers) => {
    const offer = await system.offered(fresh());
    const { browser, page } = await system.open(offer.url, 'alice');
    expect((await browser.submit(page, { answer: 'allow', ...fields }, { headers })).status).toBe(403);
    expect(await statusOf(offer.id)).toBe('opened');
  });

  it('a form without a sign-in is refused', async () => {
    const offer = await system.offered(fresh());
    const { page } = await system.open(offer.url, 'alice');
    expect((await new TestBrowser().submit(page, { answer: 'allow' })).status).toBe(403);
  });
});

describe('the way back from the provider', () => {
  it('is gone once', async () => {
    const { browser, back } = await newTrip();
    expect(connected(await browser.open(back))).toBe(true);
    expect((await browser.open(back)).status).toBe(403);
  });

  it('is not gone by another browser, and that uses it up', async () => {
    const { browser, back, offer } = await newTrip();
    expect((await new TestBrowser().open(back)).status).toBe(403);
    expect((await browser.open(back)).status).toBe(403);
    expect(await statusOf(offer.id)).toBe('consented');
  });

  it('is not gone with the state of somebody else’s trip', async () => {
    const alice = await newTrip('alice');
    const bob = await newTrip('bob');
    const swapped = new URL(alice.back);
    swapped.searchParams.set('state', bob.back.searchParams.get('state') ?? '');
    const { stored } = system.vault;
    expect((await alice.browser.open(swapped)).status).toBe(403);
    expect(system.vault.stored).toBe(stored);
  });

  it('is not gone after ten minutes', async () => {
    const { browser, back } = await newTrip();
    await system.passSeconds(601);
    expect((await browser.open(back)).status).toBe(403);
  });

  it('is not gone after the state was lost', async () => {
    const { browser, back } = await newTrip();
    await system.loseOneTimeState();
    expect((await browser.open(back)).status).toBe(403);
  });

  it('is not gone at the address of another provider', async () => {
    const { browser, back, offer } = await newTrip();
    const elsewhere = new URL(back);
    elsewhere.pathname = '/callback/mail';
    const { redeemed } = system.thirdParty;
    expect((await browser.open(elsewhere)).status).toBe(403);
    expect(system.thirdParty.redeemed).toBe(redeemed);
    expect(await statusOf(offer.id)).toBe('consented');
  });

  it('is not gone with the issuer of another provider', async () => {
    const { browser, back, offer } = await newTrip();
    back.searchParams.set('iss', 'https://mail.example');
    expect((await browser.open(back)).status).toBe(400);
    expect(await statusOf(offer.id)).toBe('consented');
  });

  it('shows nothing of what the provider, or anybody, writes into it', async () => {
    const { browser, back } = await newTrip();
    back.searchParams.set('error', '<script>alert(3)</script>');
    back.searchParams.set('error_description', 'call +1 555 0100');
    const page = await browser.open(back);
    for (const text of ['alert(3)', '555']) expect(page.html).not.toContain(text);
  });

  it('is not gone after somebody else has signed in', async () => {
    const { browser, back } = await newTrip('alice');
    const { url } = await system.offered(fresh({ person: 'bob' }));
    const switched = await system.open(`${url}&switch=1`, 'bob', browser);
    expect(switched.page.html).toContain('BOB');
    expect((await browser.open(back)).status).toBe(403);
  });

  it('is gone by one of two browsers that agreed to the same', async () => {
    const { browser, back, offer } = await newTrip();
    const later = await cameBack(offer.url, 'alice');
    const { redeemed } = system.thirdParty;
    expect((await browser.open(back)).status).toBe(403);
    expect(system.thirdParty.redeemed).toBe(redeemed);
    expect(connected(await later.browser.open(later.back))).toBe(true);
    expect(await statusOf(offer.id)).toBe('completed');
  });
});

describe('every page', () => {
  it('stays out of frames, runs nothing, loads nothing and is kept nowhere', async () => {
    const offer = await system.offered(fresh());
    const { browser, page } = await system.open(offer.url, 'alice');
    const { browser: bobs, page: others } = await system.open(offer.url, 'bob');
    const pages = [
      page,
      others,
      await browser.open(`${system.publicUrl}/connections`),
      await browser.open(`${system.publicUrl}/connect`),
      await bobs.open(`${system.publicUrl}/callback/drive?state=x`),
    ];
    for (const { headers } of pages) {
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; frame-ancestors 'none'$/,
      );
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('cache-control')).toContain('no-store');
    }
  });

  it('shows a script in a name as the text that it is', async () => {
    const bad = 'Nice app</dd><script>alert(2)</script>\u202e';
    const offer = await system.offered({ ...fresh(), names: { calendar: bad } });
    const { page } = await system.open(offer.url, 'alice');
    expect(page.html).not.toContain('<script');
    expect(page.html).not.toContain('\u202e');
    expect(page.html).toContain('&lt;script&gt;alert(1)');
  });
});

describe('what waits ends', () => {
  const revoked = { revokedAtMs: 1, expiresAtMs: 9e15 };
  const tell = <T>(contract: EventContract<T>, data: T) =>
    system.records.transaction((transaction) => transaction.emit(contract, data));
  const agent = 'agent-7';
  it.each([
    [
      'its agent was suspended',
      () => tell(agentSuspended, { id: agent, version: 2, state: 'suspended', by: 'admin', changed: [] }),
    ],
    [
      'its agent was revoked as a client',
      () => tell(revocationCreated, { kind: 'client', id: agent, ...revoked }),
    ],
    [
      'the grant of its client was revoked',
      () => tell(revocationCreated, { kind: 'grant', id: 'grant-7', ...revoked }),
    ],
    [
      'its person signed out',
      () => tell(revocationCreated, { kind: 'session', id: 'session-7', ...revoked }),
    ],
    [
      'its chain was revoked',
      () => tell(revocationCreated, { kind: 'transaction', id: 'txn-7', ...revoked }),
    ],
    [
      'its account was disconnected, wherever that was',
      () =>
        tell(connectionChanged, {
          id: 'c',
          owner: 'alice',
          tenant: 'default',
          providerId: 'drive',
          resource: 'https://api.drive.example',
          status: 'disconnected',
          reason: 'person_offboarded',
          credentialVersion: 1,
        }),
    ],
  ])('when %s', async (_why, end) => {
    const offer = await system.offered(
      fresh({ actors: ['calendar', agent, 'gateway'], grantId: 'grant-7', sid: 'session-7', txn: 'txn-7' }),
    );
    const { browser, page } = await system.open(offer.url, 'alice');
    await end();
    while ((await statusOf(offer.id)) !== 'cancelled') await setTimeout(5);
    expect((await system.answer(browser, page, 'allow')).html).toContain('Withdrawn');
  });
});
