import { type Fault, FaultyProxy } from '@behalf/local-servers';
import { TestBrowser, type Visit, freePort } from '@behalf/testing';
import { type DemoSystem, startDemoSystem, startTimeoutMs } from './demo-system.fixture.js';
import { goThrough } from './go-through.fixture.js';
import { signIn } from './oauth-client.fixture.js';
import { connectAs, wordsOf } from './token-client.fixture.js';

/** Shorter than that of a deployment, so that a row of this takes no minute. */
const forwardTimeoutSeconds = 2;
const rowTimeoutMs = 90_000;
const callers = 4;

let system: DemoSystem;
let way: FaultyProxy;
beforeAll(async () => {
  system = await startDemoSystem({
    adjust: (file) => {
      file['elicitation'].providers[0].forward.timeoutSeconds = forwardTimeoutSeconds;
    },
    portOfDrive: async (foundAt) => {
      const port = await freePort();
      way = await FaultyProxy.open(port, foundAt);
      return port;
    },
  });
}, startTimeoutMs);
afterAll(async () => {
  await system?.close();
  await way?.close();
});

function breakWay(fault: Fault | 'gone'): void {
  if (fault !== 'gone') return way.break(fault);
  way.refuses = true;
  way.reset();
}

describe('a provider, while a person comes back from it with a code', () => {
  /** A person who has agreed there, and the address that they are sent back to. */
  async function onTheWayBack(username: string): Promise<() => Promise<Visit>> {
    const client = await connectAs(system, username, 'drive');
    const [link = ''] = /http:\S+\/connect\?e=[0-9a-f-]+/.exec(await wordsOf(client, 'list_files')) ?? [];
    await client.close();
    const browser = new TestBrowser();
    const { callback } = system.config.elicitation.paths;
    const stopAt = ({ pathname }: URL): boolean => pathname.startsWith(callback);
    const { url } = await goThrough(link, username, browser, { stopAt });
    expect(url.searchParams.get('code')).toBeTruthy();
    return () => browser.open(url);
  }

  it.each([
    ['gone', 'alice', [502]],
    ['rubbish', 'alice', [502]],
    ['silent', 'alice', [504]],
    ['resetting', 'bob', [200, 502]],
    ['slow', 'carol', [200]],
  ] as const)(
    '%s: they are told in time, and neither code nor state is used again',
    async (fault, username, expected) => {
      const comeBack = await onTheWayBack(username);
      breakWay(fault);
      const { status, html } = await comeBack().finally(() => way.mend());
      expect(expected).toContain(status);
      expect(html).toMatch(status === 200 ? /Connected/ : /nothing was connected/);
      expect((await comeBack()).status).toBeGreaterThanOrEqual(400);
    },
    rowTimeoutMs,
  );
});

describe('a provider, while its API is called for somebody', () => {
  let call: () => Promise<string>;
  beforeAll(async () => {
    const { publicUrl, paths, providers } = system.config.elicitation;
    const resource = `${publicUrl}${paths.forward}/drive`;
    const { host } = new URL(providers[0]?.resources?.[0] ?? '');
    const { access_token } = await signIn(system, { username: 'alice', resource, clientId: 'demo-client' });
    const ask = () =>
      fetch(`${resource}/${host}/api/files`, { headers: { authorization: `Bearer ${access_token}` } });
    const { interaction_uri } = (await (await ask()).json()) as { interaction_uri: string };
    await goThrough(interaction_uri, 'alice');
    call = async () => {
      const answer = await ask();
      // What is cut in the middle of an answer breaks for the caller, too.
      const text = await answer.text().catch(() => '');
      return `${answer.status}${text.includes('alice@drive') ? ' files' : ''}`;
    };
  }, rowTimeoutMs);

  it.each([
    ['gone', ['503', '502']],
    ['rubbish', ['503', '502']],
    ['silent', ['503', '504']],
    ['resetting', ['200 files', '502', '503']],
    ['slow', ['200 files']],
  ] as const)(
    '%s: callers are told in time, and served when it is whole again',
    async (fault, expected) => {
      expect(await call()).toBe('200 files');
      breakWay(fault);
      const seen = await Promise.all(Array.from({ length: callers }, call)).finally(() => way.mend());
      for (const one of seen) expect(expected).toContain(one);
      expect(await call()).toBe('200 files');
    },
    rowTimeoutMs,
  );
});
