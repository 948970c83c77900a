import { Chromium, describeWith } from '@behalf/testing';
import type { Client } from '@modelcontextprotocol/client';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { connectAs, wordsOf } from './token-client.fixture.js';
import { signInOnPages } from './sign-in-on-pages.fixture.js';

/** Where the pictures go, for people to look at. */
const pictures = process.env['BEHALF_TEST_ARTEFACTS'] ?? join(tmpdir(), 'behalf-test-artefacts');

/** A phone, without JavaScript: what the pages are like for a person. */
describeWith('chromium')('the pages of the elicitation service, in a real browser', () => {
  let system: DemoSystem;
  let browser: Chromium;
  let client: Client;
  let link: string;
  beforeAll(async () => {
    await mkdir(pictures, { recursive: true });
    system = await startDemoSystem();
    browser = await Chromium.start();
    client = await connectAs(system, 'alice', 'drive');
    link = /http:\S+\/connect\?e=[0-9a-f-]+/.exec(await listFiles())?.[0] ?? '';
  }, startTimeoutMs);
  afterAll(async () => {
    await client?.close();
    await browser?.close();
    await system?.close();
  });

  const listFiles = (): Promise<string> => wordsOf(client, 'list_files');

  /** What a screen reader, a keyboard and weak eyes need of every page. */
  const expectAccessible = async (picture: string): Promise<void> => {
    await browser.screenshot(join(pictures, `${picture}.png`));
    expect(await browser.fitsTheScreen()).toBe(true);
    expect(await browser.accessibilityFaults()).toEqual([]);
  };

  it('asks alice after she has signed in, and says all that there is to say', async () => {
    await browser.open(link);
    await signInOnPages(browser, 'alice');
    expect(await browser.url()).toBe(link);
    const text = await browser.text();
    for (const said of [
      'Files in Demo Drive',
      'Demo gateway',
      'Demo Drive',
      'list_files',
      'See the names of your files',
      'Alice Ahrends',
      'UTC',
    ])
      expect(text).toContain(said);
    expect(await browser.accessibleNames('button')).toEqual(['Continue to Demo Drive', "Don't allow"]);
    await expectAccessible('connect');
  });

  it('takes her to Demo Drive and back, and says what to do next', async () => {
    await browser.click('button[value=allow]');
    await browser.type('#account', 'alice@drive');
    await browser.click('button[value=sign-in]');
    await browser.click('button[value=yes]');
    expect(await browser.text()).toContain('Go back to your application');
    await expectAccessible('connected');
    expect(await listFiles()).toContain('alice@drive');
  });

  it('shows her what is connected, and lets her end it', async () => {
    await browser.open(
      `${system.config.elicitation.publicUrl}${system.config.elicitation.paths.connections}`,
    );
    expect(await browser.text()).toContain('Works.');
    expect(await browser.accessibleNames('button')).toEqual([
      'Disconnect Demo Drive',
      expect.stringMatching(/^Don't allow any more: .* → demo-drive-server, Demo Drive$/),
    ]);
    await expectAccessible('connections');
    await browser.click('form[action$="/withdraw"] button');
    expect(await browser.text()).toContain('demo-drive-server may not use your Demo Drive account any more.');
    expect(await browser.accessibleNames('button')).toEqual(['Disconnect Demo Drive']);
    await expectAccessible('withdrawn');
    expect(await listFiles()).toContain('/connect?e=');
    await browser.click('form[action$="/disconnect"] button');
    expect(await browser.text()).toContain('Demo Drive is disconnected.');
    await expectAccessible('disconnected');
    expect(await listFiles()).toContain('/connect?e=');
  });

  it('tells somebody else that the link is not for them', async () => {
    const stranger = await Chromium.start();
    try {
      await stranger.open(/http:\S+\/connect\?e=[0-9a-f-]+/.exec(await listFiles())?.[0] ?? '');
      await signInOnPages(stranger, 'carol');
      expect(await stranger.text()).toContain('This link is not for you');
      await stranger.screenshot(join(pictures, 'other-person.png'));
    } finally {
      await stranger.close();
    }
  });
});
