import { revocationCreated } from '@behalf/contracts';
import { request } from 'node:http';
import { modernRequest } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';
import { type RecordingUpstream, answerEverything, startRecordingUpstream } from './recording-upstream.js';

const fake = { transport: 'stdio', command: process.execPath, args: ['apps/gateway/test/stdio-server.mjs'] };

describe('streams without an end', () => {
  let upstream: RecordingUpstream;
  let gateway: TestGateway;
  /** Lets the upstream leave tool calls unanswered. */
  let silent = false;

  beforeEach(async () => {
    silent = false;
    upstream = await startRecordingUpstream((seen, response) => {
      if (silent && seen.message['method'] === 'tools/call') return;
      if (seen.httpMethod !== 'GET') return answerEverything(seen, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': open\n\n');
    });
    const http = { transport: 'http', url: upstream.url, token: { kind: 'none' } };
    gateway = await startTestGateway({ replicas: 1, upstreams: { fake, http } });
  });
  afterEach(async () => {
    await gateway.close();
    upstream.close();
  });

  const open = async (upstreamName: string, claims: Record<string, unknown> = {}) => {
    const token = await gateway.tokenFor(upstreamName, claims);
    const url = `${gateway.url}/mcp/${upstreamName}`;
    const response =
      upstreamName === 'fake'
        ? await fetch(url, modernRequest('subscriptions/listen', { notifications: {} }, { token }))
        : await fetch(url, { headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' } });
    const reader = response.body!.getReader();
    const first = Buffer.from((await reader.read()).value!).toString();
    const rest = async (): Promise<string> => {
      let text = '';
      for (let read = await reader.read(); !read.done; read = await reader.read())
        text += Buffer.from(read.value).toString();
      return text;
    };
    return { first, rest };
  };

  const revoke = (jti: string): Promise<void> =>
    gateway.bus.publish(revocationCreated, {
      id: `revocation-of-${jti}`,
      type: revocationCreated.type,
      sequence: 1,
      occurredAtMs: Date.now(),
      data: { kind: 'token', id: jti, expiresAtMs: Date.now() + 60_000, revokedAtMs: Date.now() },
    });

  it.each(['fake', 'http'])('of %s end when the token expires', async (name) => {
    const { rest } = await open(name, { exp: Math.floor(Date.now() / 1000) });
    await rest();
  });

  it.each(['fake', 'http'])('of %s end when the token is revoked, and others do not', async (name) => {
    const revoked = await open(name, { jti: 'to-be-revoked' });
    const other = await open(name);
    await revoke('to-be-revoked');
    await revoked.rest();
    let ended = false;
    const otherEnds = other.rest().then(() => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    await gateway.service.close();
    await otherEnds;
  });

  it('end in order when the gateway closes', async () => {
    const listening = await open('fake');
    const session = await open('http');
    await gateway.service.close();
    expect(await listening.rest()).toContain('"resultType":"complete"');
    expect(await session.rest()).not.toContain('error');
  });

  it('a call that is running when the gateway closes gets its answer', async () => {
    const received = upstream.next();
    const token = await gateway.tokenFor('http');
    const running = fetch(
      `${gateway.url}/mcp/http`,
      modernRequest('tools/call', { name: 'allowed' }, { token }),
    );
    await received;
    const [response] = await Promise.all([running, gateway.service.close()]);
    expect(await response.json()).toMatchObject({ result: { content: [{ text: 'done' }] } });
  });

  /** The upstream has the call, or (a program) the policy has been asked and the call is being passed on. */
  const reached = async (name: string): Promise<void> => {
    const isThere = (): boolean =>
      name === 'http'
        ? upstream.seen.some(({ message }) => message['method'] === 'tools/call')
        : gateway.policy.asked.length > 0;
    while (!isThere()) await new Promise((resolve) => setImmediate(resolve));
  };

  it.each(['fake', 'http'])(
    'a call to %s that is running when its token is revoked ends with 401',
    async (name) => {
      const token = await gateway.tokenFor(name, { jti: 'revoked-meanwhile' });
      silent = true;
      const running = fetch(
        `${gateway.url}/mcp/${name}`,
        modernRequest('tools/call', { name: 'hang' }, { token }),
      );
      await reached(name);
      await revoke('revoked-meanwhile');
      expect((await running).status).toBe(401);
    },
  );

  it('a call whose body arrives after its token was revoked is refused', async () => {
    const token = await gateway.tokenFor('fake', { jti: 'revoked-before-the-body' });
    const { body, headers } = modernRequest('tools/call', { name: 'meta' }, { token });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const posted = request(
        `${gateway.url}/mcp/fake`,
        { method: 'POST', headers: headers as never },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      );
      posted.once('error', reject);
      posted.flushHeaders();
      // The token is checked when the headers are in; any later request shows that they are.
      void gateway
        .tokenFor('fake')
        .then((other) => fetch(`${gateway.url}/mcp/fake`, modernRequest('tools/list', {}, { token: other })))
        .then(() => revoke('revoked-before-the-body'))
        .then(() => posted.end(body), reject);
    });
    expect(status).toBe(401);
    expect(gateway.policy.asked.map(({ action }) => action.name)).not.toContain('tools/call');
  });

  it('one person cannot hold the streams of everybody', async () => {
    const small = await startTestGateway({
      replicas: 1,
      issuer: gateway.issuer,
      gateway: { limits: { maxInFlight: 4 } },
      upstreams: { http: { transport: 'http', url: upstream.url, token: { kind: 'none' } } },
    });
    const statusFor = async (sub: string): Promise<number> => {
      const token = await small.tokenFor('http', { sub });
      const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
      return (await fetch(`${small.url}/mcp/http`, { headers })).status;
    };
    expect([await statusFor('alice'), await statusFor('alice'), await statusFor('bob')]).toEqual([
      200, 503, 200,
    ]);
    await small.close();
  });

  it.each(['fake', 'http'])(
    'a call to %s that never ends does not keep the gateway from closing',
    async (name) => {
      const token = await gateway.tokenFor(name);
      silent = true;
      const call = modernRequest('tools/call', { name: 'hang' }, { token });
      const running = fetch(`${gateway.url}/mcp/${name}`, call);
      await reached(name);
      await gateway.service.close();
      const response = await running;
      expect([response.status, response.headers.has('retry-after')]).toEqual([503, true]);
    },
  );
});
