import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { endThirdPartyAccount, evaluatePolicy } from '@behalf/contracts';
import { SignJWT } from 'jose';
import { type KeyPair, keyPair, tokenExchange, upstream } from './test-agents.js';
import { basic, TestServer } from './test-server.js';

const issuer = 'https://idp.example';
const provider = 'https://drive.example';
const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const risc = 'https://schemas.openid.net/secevent/risc/event-type';
const sessionRevoked = `${caep}/session-revoked`;
const accountDisabled = `${risc}/account-disabled`;
const ours = 'https://gw.example/mcp';

let server: TestServer;
let key: KeyPair;
let polled: { sets: Record<string, string>; asked: any[] };
let endpoint: ReturnType<typeof createServer>;

beforeAll(async () => {
  key = await keyPair('k');
});
beforeEach(async () => {
  polled = { sets: {}, asked: [] };
  endpoint = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    polled.asked.push({ ...JSON.parse(body), authorization: request.headers.authorization });
    for (const jti of [...polled.asked.at(-1).ack, ...Object.keys(polled.asked.at(-1).setErrs)])
      delete polled.sets[jti];
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ sets: polled.sets }));
  }).listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const keys = { jwks: { keys: [key.publicJwk] }, algorithms: ['ES256'] };
  server = await TestServer.start({
    development: { allowLoopbackFetch: true },
    environment: { IDP_PUSHES_WITH: 'Bearer of-the-idp', POLL_TOKEN: 'poll-token' },
    server: {
      resources: [{ resource: upstream, name: 'Upstream', scopes: ['mcp:tools'] }],
      clients: [
        {
          clientId: 'gateway',
          demoSecret: 'gateway-secret',
          grantTypes: [tokenExchange],
          exchange: { audiences: ['https://*'], scopes: ['mcp:tools'] },
        },
      ],
      trustedIssuers: [
        {
          issuer,
          ...keys,
          people: { clients: ['gateway'], accessTokens: { audiences: [ours], scopes: ['mcp:tools'] } },
        },
      ],
      sharedSignals: {
        transmitters: [
          { name: 'idp', issuer, ...keys, audience: ours, people: true, authorizationEnv: 'IDP_PUSHES_WITH' },
          { name: 'drive', issuer: provider, ...keys, provider: 'drive' },
          {
            name: 'polled',
            issuer: 'https://polled.example',
            ...keys,
            people: true,
            poll: {
              endpoint: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/poll`,
              tokenEnv: 'POLL_TOKEN',
              everySeconds: 1,
            },
          },
        ],
      },
    },
  });
  server.bus.handle(evaluatePolicy, async () => ({ decision: true }));
  await server.bus.announced();
});
afterEach(async () => {
  await server.close();
  endpoint.closeAllConnections();
  await new Promise((resolve) => endpoint.close(resolve));
});

const now = (): number => Math.floor(server.clock.nowMs() / 1000);
const about = (sub: string, iss = issuer) => ({ format: 'iss_sub', iss, sub });

interface SetChanges {
  event?: string;
  subject?: object;
  claims?: object;
  typ?: string;
  signer?: KeyPair;
}
function setOf({
  event = sessionRevoked,
  subject = about('alice'),
  claims = {},
  typ,
  signer = key,
}: SetChanges = {}) {
  const all = { iss: issuer, aud: ours, jti: crypto.randomUUID(), iat: now(), sub_id: subject };
  return new SignJWT({ ...all, events: { [event]: {} }, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: typ ?? 'secevent+jwt' })
    .sign(signer.privateKey);
}
async function push(set: string, to = 'idp', headers: Record<string, string> = {}) {
  const response = await fetch(`${server.issuer}/ssf/events/${to}`, {
    method: 'POST',
    headers: { 'content-type': 'application/secevent+jwt', authorization: 'Bearer of-the-idp', ...headers },
    body: set,
  });
  const text = await response.text();
  return { status: response.status, err: text === '' ? undefined : JSON.parse(text).err, body: text };
}

/** A token of the other issuer for one of its people, as old as it says. */
function theirs(person: string, secondsAgo = 0): Promise<string> {
  const claims = {
    iss: issuer,
    aud: ours,
    sub: person,
    client_id: 'app',
    jti: crypto.randomUUID(),
    scope: 'mcp:tools',
  };
  return new SignJWT({ ...claims, iat: now() - secondsAgo, exp: now() + 600 })
    .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'at+jwt' })
    .sign(key.privateKey);
}
async function exchange(subjectToken: string): Promise<string> {
  const { body } = await server.token(
    {
      grant_type: tokenExchange,
      subject_token: subjectToken,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      resource: upstream,
    },
    basic('gateway', 'gateway-secret'),
  );
  return body.error ?? body.access_token;
}
const isActive = async (token: string): Promise<unknown> =>
  (await server.introspect(token, basic('gateway', 'gateway-secret')))['active'];

describe('a signal about a person of another issuer', () => {
  it('ends what was exchanged for them, and what they held, and nothing of others or of later', async () => {
    const held = await theirs('alice');
    const [hers, his] = [await exchange(held), await exchange(await theirs('bob'))];
    expect([await isActive(hers), await isActive(his)]).toEqual([true, true]);
    expect(await push(await setOf())).toMatchObject({ status: 202, body: '' });
    expect([await isActive(hers), await isActive(his)]).toEqual([false, true]);
    expect(await exchange(held)).toBe('invalid_request');
    server.clock.advanceSeconds(2);
    expect(await isActive(await exchange(await theirs('alice')))).toBe(true);
    expect(server.audit).toContainEqual(
      expect.objectContaining({
        type: 'shared-signals',
        details: expect.objectContaining({ step: 'signal heard', transmitter: 'idp', event: sessionRevoked }),
      }),
    );
  });

  it.each([
    ['in a complex subject', { subject: { format: 'complex', user: about('alice') } }],
    [
      'inside of the event, as RISC once had it',
      {
        event: accountDisabled,
        claims: { sub_id: undefined, events: { [accountDisabled]: { subject: about('alice') } } },
      },
    ],
  ])('is understood %s', async (_title, changes) => {
    const token = await exchange(await theirs('alice'));
    expect((await push(await setOf(changes))).status).toBe(202);
    expect(await isActive(token)).toBe(false);
  });

  it('does nothing when it comes again', async () => {
    const set = await setOf();
    await push(set);
    server.clock.advanceSeconds(2);
    const token = await exchange(await theirs('alice'));
    expect((await push(set)).status).toBe(202);
    expect(await isActive(token)).toBe(true);
  });

  it('is acknowledged when it says nothing to us', async () => {
    const token = await exchange(await theirs('alice'));
    for (const changes of [
      { event: 'https://schemas.openid.net/secevent/ssf/event-type/verification' },
      { event: `${caep}/assurance-level-change` },
      { subject: { format: 'email', email: 'alice@idp.example' } },
      { subject: { format: 'of-tomorrow' } },
    ])
      expect((await push(await setOf(changes))).status).toBe(202);
    expect(await isActive(token)).toBe(true);
  });
});

describe('what is refused', () => {
  it.each<[string, () => Promise<SetChanges>, string]>([
    ['another’s key', async () => ({ signer: await keyPair('k') }), 'invalid_key'],
    ['a token of another kind', async () => ({ typ: 'at+jwt' }), 'invalid_request'],
    ['another issuer', async () => ({ claims: { iss: 'https://evil.example' } }), 'invalid_issuer'],
    ['another audience', async () => ({ claims: { aud: 'https://other.example' } }), 'invalid_audience'],
    [
      'an ID token with events in it',
      async () => ({ claims: { sub: 'alice', exp: now() + 60 } }),
      'invalid_request',
    ],
    ['an old one', async () => ({ claims: { iat: now() - 25 * 3600 } }), 'invalid_request'],
    ['one from the future', async () => ({ claims: { iat: now() + 60 } }), 'invalid_request'],
    ['one without a name', async () => ({ claims: { jti: undefined } }), 'invalid_request'],
    [
      'two events in one',
      async () => ({ claims: { events: { [sessionRevoked]: {}, [accountDisabled]: {} } } }),
      'invalid_request',
    ],
    [
      'a word about the people of another issuer',
      async () => ({ subject: about('alice', 'https://other.example') }),
      'access_denied',
    ],
  ])('%s', async (_title, changes, err) => {
    const token = await exchange(await theirs('alice'));
    expect(await push(await setOf(await changes()))).toMatchObject({ status: 400, err });
    expect(await isActive(token)).toBe(true);
  });

  it('whoever is not the transmitter, another transmitter’s path, and another content type', async () => {
    const set = await setOf();
    expect(await push(set, 'idp', { authorization: 'Bearer x' })).toMatchObject({
      status: 400,
      err: 'authentication_failed',
    });
    expect(await push(set, 'drive')).toMatchObject({ status: 400, err: 'invalid_issuer' });
    expect(await push(set, 'idp', { 'content-type': 'application/json' })).toMatchObject({
      status: 400,
      err: 'invalid_request',
    });
    expect((await push(set, 'nobody')).status).toBe(404);
    expect((await push(set, 'polled')).status).toBe(404);
  });
});

describe('a signal about an account at a third party', () => {
  const ofDrive = (changes: SetChanges = {}) =>
    setOf({
      event: accountDisabled,
      subject: about('account-7', provider),
      ...changes,
      claims: { iss: provider, aud: server.issuer, ...changes.claims },
    });

  it('ends its connections, and touches no tokens', async () => {
    const asked: unknown[] = [];
    server.bus.handle(endThirdPartyAccount, async (request) => {
      asked.push(request);
      return { ended: 1 };
    });
    await server.bus.announced();
    expect((await push(await ofDrive(), 'drive')).status).toBe(202);
    expect(asked).toEqual([{ provider: 'drive', account: 'account-7' }]);
    // Its session there is no matter of what was lent.
    expect((await push(await ofDrive({ event: sessionRevoked }), 'drive')).status).toBe(202);
    expect(asked).toHaveLength(1);
    expect((await server.outbox()).filter(({ type }) => type === 'behalf.revocation.created')).toEqual([]);
  });

  it('is not acknowledged while the vault cannot be reached, and done when it comes again', async () => {
    const set = await ofDrive();
    expect((await push(set, 'drive')).status).toBe(503);
    let ended = 0;
    server.bus.handle(endThirdPartyAccount, async () => ({ ended: ++ended }));
    await server.bus.announced();
    expect((await push(set, 'drive')).status).toBe(202);
    expect((await push(set, 'drive')).status).toBe(202);
    expect(ended).toBe(1);
  });
});

describe('a transmitter that is asked', () => {
  it('is told which signals were taken, and which were not and why', async () => {
    const claims = { iss: 'https://polled.example', aud: server.issuer };
    const subject = about('alice', 'https://polled.example');
    polled.sets = {
      good: await setOf({ subject, claims }),
      bad: await setOf({ subject, claims, signer: await keyPair('k') }),
    };
    while (Object.keys(polled.sets).length > 0) await once(endpoint, 'request');
    const told = polled.asked.find(({ ack }) => ack.length > 0);
    expect(told).toMatchObject({
      authorization: 'Bearer poll-token',
      ack: ['good'],
      setErrs: { bad: { err: 'invalid_key' } },
    });
    expect((await server.outbox()).map(({ data }) => (data as { id: string }).id)).toContain(
      'https://polled.example#alice',
    );
  });
});
