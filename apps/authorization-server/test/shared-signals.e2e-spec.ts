import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setRecords, streamRecords } from '@behalf/shared-signals';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import type { SignalTransmitter } from '../src/shared-signals/signal-transmitter.js';
import { SIGNAL_TRANSMITTER } from '../src/tokens.js';
import { agentId, keyPair, TestAgents, tokenExchange } from './test-agents.js';
import { basic, files } from './test-server.js';

const caep = 'https://schemas.openid.net/secevent/caep/event-type';
const sessionRevoked = `${caep}/session-revoked`;
const tokenClaimsChange = `${caep}/token-claims-change`;
const credentialChange = `${caep}/credential-change`;
const streamUpdated = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';
const allEvents = [sessionRevoked, tokenClaimsChange, credentialChange];
const push = 'urn:ietf:rfc:8935';
const poll = 'urn:ietf:rfc:8936';
const secretHeader = 'Bearer what-the-receiver-wants-to-see';

const client = (clientId: string, scopes: string[]): object => ({
  clientId,
  demoSecret: `${clientId}-secret`,
  grantTypes: ['client_credentials', tokenExchange],
  scopes,
});

let agents: TestAgents;
let endpoint: ReceivingEndpoint;
let token: string;

async function start(development: Record<string, unknown> = { allowLoopbackFetch: true }): Promise<void> {
  agents = await TestAgents.start({
    replicas: 1,
    development,
    server: {
      // Longer than the hours that pass here.
      lifetimes: { accessTokenSeconds: 24 * 3600 },
      clients: [
        client('operator', ['admin', 'ssf.manage']),
        client('siem', ['ssf.manage', 'ssf.read']),
        client('crm', ['ssf.manage']),
        client('reader', ['ssf.read']),
        {
          ...client('web-app', []),
          grantTypes: ['authorization_code', 'refresh_token'],
          redirectUris: ['https://client.example.com/callback'],
        },
      ],
      sharedSignals: {
        receivers: [
          { clientId: 'siem', audience: 'https://siem.example', subjects: 'iss_sub' },
          { clientId: 'crm' },
          { clientId: 'reader' },
        ],
      },
    },
  });
  token = await tokenOf('siem');
}
beforeEach(async () => {
  endpoint = await ReceivingEndpoint.start();
  await start();
});
afterEach(async () => {
  await agents.close();
  await endpoint.close();
});

async function tokenOf(clientId: string, resource = `${agents.server.issuer}/ssf`): Promise<string> {
  const { body } = await agents.server.token(
    { grant_type: 'client_credentials', resource },
    basic(clientId, `${clientId}-secret`),
  );
  return body.access_token;
}

async function ask(method: string, path: string, body?: object, as = token) {
  const response = await fetch(`${agents.server.issuer}/ssf${path}`, {
    method,
    headers: { authorization: `Bearer ${as}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : JSON.parse(text),
  };
}
const makeStream = async (delivery: object = { method: poll }, as = token, events = allEvents) =>
  (await ask('POST', '/streams', { delivery, events_requested: events }, as)).body;
const pushTo = (url: string) => ({ method: push, endpoint_url: url, authorization_header: secretHeader });
const transmitter = () => agents.server.service.app.get<SignalTransmitter>(SIGNAL_TRANSMITTER);

/** What waits in a polled stream, verified as a receiver does. */
async function take(streamId: string, as = token, more: object = {}) {
  const { body } = await ask('POST', `/poll/${streamId}`, { ...more }, as);
  return Promise.all(Object.values(body.sets as Record<string, string>).map(verify));
}
async function takeNow(streamId: string, as = token, more: object = {}) {
  transmitter().wake();
  await transmitter().idle();
  return take(streamId, as, { returnImmediately: true, ...more });
}
interface SignalClaims {
  jti: string;
  aud: string;
  exp?: number;
  sub?: string;
  sub_id: { format: string; jti: string; session?: object; user?: object };
  events: Record<string, { claims?: object; event_timestamp?: number; state?: string }>;
}

async function verify(set: string): Promise<SignalClaims> {
  const keys = createRemoteJWKSet(new URL(`${agents.server.issuer}/jwks`));
  const options = { typ: 'secevent+jwt', issuer: agents.server.issuer };
  return (await jwtVerify<SignalClaims>(set, keys, options)).payload;
}
const ackOf = (sets: { jti: string }[]) => ({ ack: sets.map(({ jti }) => jti) });

describe('the transmitter', () => {
  it('says where everything is', async () => {
    const { issuer } = agents.server;
    const response = await fetch(`${issuer}/.well-known/ssf-configuration`);
    expect(await response.json()).toMatchObject({
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/jwks`,
      delivery_methods_supported: [push, poll],
      configuration_endpoint: `${issuer}/ssf/streams`,
      default_subjects: 'ALL',
    });
  });

  it('lets in receivers that are configured, with a token for signals, and nobody else', async () => {
    const statuses = async (as: string) => (await ask('POST', '/streams', {}, as)).status;
    expect(await statuses('nonsense')).toBe(401);
    expect(await statuses(await tokenOf('operator', `${agents.server.issuer}/admin`))).toBe(401);
    // Has the scope, but nobody said that it may be told.
    expect(await statuses(await tokenOf('operator'))).toBe(403);
    expect(await statuses(await tokenOf('reader'))).toBe(403);
    expect(await statuses(token)).toBe(201);
  });

  it('shows a receiver its own streams only', async () => {
    const { stream_id: id } = await makeStream();
    const crm = await tokenOf('crm');
    const foreign = [
      await ask('GET', `/streams?stream_id=${id}`, undefined, crm),
      await ask('PATCH', '/streams', { stream_id: id, description: 'mine' }, crm),
      await ask('DELETE', `/streams?stream_id=${id}`, undefined, crm),
      await ask('GET', `/status?stream_id=${id}`, undefined, crm),
      await ask('POST', '/status', { stream_id: id, status: 'disabled' }, crm),
      await ask('POST', '/subjects/remove', { stream_id: id, subject: { format: 'opaque', id: 'x' } }, crm),
      await ask('POST', '/verify', { stream_id: id }, crm),
      await ask('POST', `/poll/${id}`, { returnImmediately: true }, crm),
    ];
    expect(foreign.map(({ status }) => status)).toEqual(Array(8).fill(404));
    expect((await ask('GET', '/streams', undefined, crm)).body).toEqual([]);
    expect((await ask('GET', '/streams')).body).toHaveLength(1);
  });

  it('makes, changes and deletes streams', async () => {
    const stream = await makeStream({ method: poll }, token, [sessionRevoked, 'urn:unknown']);
    expect(stream).toMatchObject({
      iss: agents.server.issuer,
      aud: 'https://siem.example',
      events_supported: allEvents,
      events_delivered: [sessionRevoked],
      delivery: { method: poll, endpoint_url: `${agents.server.issuer}/ssf/poll/${stream.stream_id}` },
    });
    const id = stream.stream_id;
    const patched = await ask('PATCH', '/streams', {
      ...stream,
      delivery: undefined,
      events_requested: allEvents,
    });
    expect(patched.body.events_delivered).toEqual(allEvents);
    expect((await ask('PATCH', '/streams', { stream_id: id, aud: 'https://other.example' })).status).toBe(
      400,
    );
    const replaced = await ask('PUT', '/streams', { stream_id: id, events_requested: [] });
    expect(replaced.body.events_delivered).toEqual([]);
    expect((await ask('DELETE', `/streams?stream_id=${id}`)).status).toBe(204);
    expect((await ask('GET', `/streams?stream_id=${id}`)).status).toBe(404);
  });

  it('does not keep or show in clear what a receiver wants to see in Authorization', async () => {
    const { stream_id: id } = await makeStream(pushTo(endpoint.url));
    const shown = await ask('GET', `/streams?stream_id=${id}`);
    const kept = await agents.server.records.list(streamRecords);
    const audited = agents.server.audit.filter(({ type }) => type === 'shared-signals');
    expect(audited).toHaveLength(1);
    expect(JSON.stringify([shown.body, kept, audited])).not.toContain('what-the-receiver');
  });
});

describe('what is told', () => {
  it('is the end of a sign-in, with the person only to who may know them', async () => {
    const siem = await makeStream();
    const crm = await tokenOf('crm');
    const other = await makeStream({ method: poll }, crm);
    const { access_token: own } = await agents.server.signIn();
    const { sid } = decodeJwt(own) as { sid: string };
    await agents.admin('POST', '/revocations', { kind: 'session', id: sid });
    const [told] = await takeNow(siem.stream_id);
    expect(told).toMatchObject({
      aud: 'https://siem.example',
      sub_id: {
        format: 'complex',
        session: { format: 'opaque', id: sid },
        user: { format: 'iss_sub', iss: agents.server.issuer, sub: 'alice' },
      },
      events: { [sessionRevoked]: { event_timestamp: expect.any(Number) } },
    });
    // A token for signals is good for nothing else.
    expect([told?.exp, told?.sub]).toEqual([undefined, undefined]);
    const [lessTold] = await takeNow(other.stream_id, crm);
    expect(lessTold?.sub_id).toEqual({ format: 'complex', session: { format: 'opaque', id: sid } });
    expect(JSON.stringify(lessTold)).not.toContain('alice');
  });

  it('is what happens to agents', async () => {
    const { stream_id: id } = await makeStream();
    const { body: made } = await agents.create();
    const about = { format: 'complex', application: { format: 'opaque', id: agentId } };
    const path = `/agents/${encodeURIComponent(agentId)}`;
    const ceiling = { audiences: [files], scopes: ['files:write'] };
    await agents.admin('PATCH', path, { ceiling }, { 'if-match': `"${made.version}"` });
    await agents.admin('POST', `${path}/keys`, { key: (await keyPair('next')).publicJwk });
    await agents.change('suspend');
    const told = await takeNow(id);
    expect(told.map(({ events }) => Object.keys(events)[0])).toEqual([
      tokenClaimsChange,
      credentialChange,
      sessionRevoked,
    ]);
    for (const { sub_id: subject } of told) expect(subject).toEqual(about);
    expect(told[0]?.events[tokenClaimsChange]?.claims).toEqual({ scope: 'files:write' });
  });

  it('is nothing that the receiver did not ask for, or took out', async () => {
    const { stream_id: id } = await makeStream({ method: poll }, token, [tokenClaimsChange]);
    const all = await makeStream();
    const subject = { format: 'jwt_id', iss: agents.server.issuer, jti: 'not-of-interest' };
    expect((await ask('POST', '/subjects/remove', { stream_id: all.stream_id, subject })).status).toBe(204);
    for (const jti of ['not-of-interest', 'of-interest'])
      await agents.admin('POST', '/revocations', { kind: 'token', id: jti });
    expect(await takeNow(id)).toEqual([]);
    expect((await takeNow(all.stream_id)).map(({ sub_id: { jti } }) => jti)).toEqual(['of-interest']);
  });

  it('cannot be used as a token', async () => {
    const { stream_id: id } = await makeStream();
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'x' });
    transmitter().wake();
    const { body } = await ask('POST', `/poll/${id}`, {});
    const [set] = Object.values(body.sets as Record<string, string>);
    expect((await ask('GET', '/streams', undefined, set)).status).toBe(401);
    const exchanged = await agents.server.token(
      {
        grant_type: tokenExchange,
        subject_token: set ?? '',
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: files,
      },
      basic('siem', 'siem-secret'),
    );
    expect(exchanged.status).toBe(400);
  });
});

describe('polling', () => {
  it('gives a token again until it is acknowledged, and takes acknowledgements for own tokens only', async () => {
    const { stream_id: id } = await makeStream();
    const crm = await tokenOf('crm');
    const other = await makeStream({ method: poll }, crm);
    for (const jti of ['a', 'b']) await agents.admin('POST', '/revocations', { kind: 'token', id: jti });
    const first = await takeNow(id);
    expect(first.map(({ sub_id: { jti } }) => jti)).toEqual(['a', 'b']);
    await takeNow(other.stream_id, crm, ackOf(first));
    expect(await takeNow(id)).toHaveLength(2);
    const { body } = await ask('POST', `/poll/${id}`, { maxEvents: 1, returnImmediately: true });
    expect([Object.keys(body.sets).length, body.moreAvailable]).toEqual([1, true]);
    expect(await takeNow(id, token, ackOf(first))).toEqual([]);
    expect(await takeNow(id)).toEqual([]);
  });

  it('waits for what comes', async () => {
    const { stream_id: id } = await makeStream();
    const waiting = take(id);
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'late' });
    expect((await waiting).map(({ sub_id: { jti } }) => jti)).toEqual(['late']);
  });

  it('holds what happens while a stream is paused, and forgets it while it is disabled', async () => {
    const { stream_id: id } = await makeStream();
    const revoke = (jti: string) => agents.admin('POST', '/revocations', { kind: 'token', id: jti });
    const status = (to: string) => ask('POST', '/status', { stream_id: id, status: to, reason: 'work' });
    expect((await status('paused')).body).toEqual({ stream_id: id, status: 'paused', reason: 'work' });
    await revoke('held');
    expect(await takeNow(id)).toEqual([]);
    await status('enabled');
    const held = await takeNow(id);
    expect(held).toHaveLength(1);
    await takeNow(id, token, ackOf(held));
    await status('disabled');
    await revoke('forgotten');
    await takeNow(id);
    await status('enabled');
    expect(await takeNow(id)).toEqual([]);
  });

  it('says that a stream was disabled in which too much waited, until that is acknowledged', async () => {
    const { stream_id: id } = await makeStream();
    const { records } = agents.server;
    await records.transaction(async (transaction) => {
      for (let n = 0; n < 5_000; n++) {
        const value = { streamId: id, jti: `waiting-${n}`, isAboutStream: false, claims: {} };
        await transaction.put(setRecords, `${id}:${String(n).padStart(15, '0')}:0`, value);
      }
    });
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'one-more' });
    transmitter().wake();
    await transmitter().idle();
    const why = { status: 'disabled', reason: 'more was waiting than is kept' };
    expect((await ask('GET', `/status?stream_id=${id}`)).body).toEqual({ stream_id: id, ...why });
    const said = await takeNow(id);
    expect(said).toMatchObject([{ sub_id: { format: 'opaque', id }, events: { [streamUpdated]: why } }]);
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'unheard' });
    expect(await takeNow(id)).toEqual(said);
    expect(await takeNow(id, token, ackOf(said))).toEqual([]);
    await ask('POST', '/status', { stream_id: id, status: 'enabled' });
    expect(await takeNow(id)).toEqual([]);
  });

  it('is verified when asked, not too often', async () => {
    const { stream_id: id } = await makeStream();
    expect((await ask('POST', '/verify', { stream_id: id, state: 'my state' })).status).toBe(204);
    const again = await ask('POST', '/verify', { stream_id: id });
    expect([again.status, Number(again.headers.get('retry-after'))]).toEqual([429, 10]);
    expect(await takeNow(id)).toMatchObject([
      {
        sub_id: { format: 'opaque', id },
        events: { 'https://schemas.openid.net/secevent/ssf/event-type/verification': { state: 'my state' } },
      },
    ]);
  });
});

describe('pushing', () => {
  it('sends each token once, in order, with what the receiver wants to see', async () => {
    await makeStream(pushTo(endpoint.url));
    for (const id of ['a', 'b', 'c']) await agents.admin('POST', '/revocations', { kind: 'token', id });
    const got = await endpoint.take(3);
    for (const { headers } of got) {
      expect(headers['content-type']).toBe('application/secevent+jwt');
      expect(headers['authorization']).toBe(secretHeader);
    }
    const sets = await Promise.all(got.map(({ body }) => verify(body)));
    expect(sets.map(({ sub_id: { jti } }) => jti)).toEqual(['a', 'b', 'c']);
    transmitter().wake();
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'd' });
    expect((await verify((await endpoint.take(1))[0]!.body)).sub_id.jti).toBe('d');
  });

  it('tries again, with longer pauses, and then pauses the stream without losing anything', async () => {
    const { stream_id: id } = await makeStream(pushTo(endpoint.url));
    endpoint.status = 503;
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'a' });
    const jtis = new Set<string>();
    for (let attempt = 1; attempt <= 12; attempt++) {
      const [pushed] = await endpoint.take(1);
      jtis.add(String(decodeJwt(pushed!.body).jti));
      await transmitter().idle();
      if (attempt === 12) break;
      // Too early for another one.
      transmitter().wake();
      await transmitter().idle();
      expect(endpoint.waiting).toBe(0);
      agents.server.clock.advanceSeconds(3600);
      transmitter().wake();
    }
    expect(jtis.size).toBe(1);
    const why = { status: 'paused', reason: 'the receiver answered 503' };
    expect((await ask('GET', `/status?stream_id=${id}`)).body).toEqual({ stream_id: id, ...why });
    // It is said for as long as the other was, and nothing else is.
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'b' });
    transmitter().wake();
    for (let attempt = 1; attempt <= 12; attempt++) {
      expect(await verify((await endpoint.take(1))[0]!.body)).toMatchObject({
        sub_id: { format: 'opaque', id },
        events: { [streamUpdated]: why },
      });
      await transmitter().idle();
      agents.server.clock.advanceSeconds(3600);
      transmitter().wake();
    }
    await transmitter().idle();
    expect(endpoint.waiting).toBe(0);
    endpoint.status = 202;
    await ask('POST', '/status', { stream_id: id, status: 'enabled' });
    const [first, second] = await endpoint.take(2);
    expect([...jtis]).toEqual([decodeJwt(first!.body).jti]);
    expect((await verify(second!.body)).sub_id.jti).toBe('b');
  });

  it('says once that it has paused, to who takes it, and not to who enables the stream before', async () => {
    const stop = async (id: string): Promise<void> => {
      endpoint.status = 503;
      await agents.admin('POST', '/revocations', { kind: 'token', id });
      for (let attempt = 1; attempt <= 12; attempt++) {
        await endpoint.take(1);
        await transmitter().idle();
        if (attempt === 12) endpoint.status = 202;
        agents.server.clock.advanceSeconds(3600);
        if (attempt < 12) transmitter().wake();
      }
    };
    const { stream_id: id } = await makeStream(pushTo(endpoint.url));
    await stop('a');
    transmitter().wake();
    expect(Object.keys((await verify((await endpoint.take(1))[0]!.body)).events)).toEqual([streamUpdated]);
    await transmitter().idle();
    transmitter().wake();
    await transmitter().idle();
    expect(endpoint.waiting).toBe(0);
    await ask('POST', '/status', { stream_id: id, status: 'enabled' });
    expect((await verify((await endpoint.take(1))[0]!.body)).sub_id.jti).toBe('a');
  });

  it('SSRF: dials no address of our own network, whatever a receiver names', async () => {
    await agents.close();
    await start({});
    let dialled = 0;
    await using inside = createTcpServer((socket) => {
      dialled++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(inside, 'listening');
    const { port } = inside.address() as AddressInfo;
    expect((await ask('POST', '/streams', { delivery: pushTo(`http://localhost:${port}/`) })).status).toBe(
      400,
    );
    expect((await ask('POST', '/streams', { delivery: pushTo('file:///etc/passwd') })).status).toBe(400);
    await makeStream(pushTo(`https://localhost:${port}/`));
    await agents.admin('POST', '/revocations', { kind: 'token', id: 'a' });
    transmitter().wake();
    await transmitter().idle();
    expect(dialled).toBe(0);
  });
});

/** A receiver that takes what is pushed to it. */
class ReceivingEndpoint {
  status = 202;
  readonly #got: { headers: Record<string, unknown>; body: string }[] = [];
  #wake: () => void = () => {};

  private constructor(private readonly server: Server) {}

  static async start(): Promise<ReceivingEndpoint> {
    const server = createServer();
    const started = new ReceivingEndpoint(server);
    server.on('request', async (request, response) => {
      const chunks = await request.toArray();
      started.#got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(started.status).end();
      started.#wake();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return started;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/events`;
  }

  get waiting(): number {
    return this.#got.length;
  }

  async take(count: number) {
    while (this.#got.length < count) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#got.splice(0, count);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
