import { revocationCreated } from '@behalf/contracts';
import { modernRequest } from './clients.js';
import { type TestGateway, startTestGateway } from './gateway-fixture.js';
import { type RecordingUpstream, answerEverything, startRecordingUpstream } from './recording-upstream.js';

const fake = { transport: 'stdio', command: process.execPath, args: ['apps/gateway/test/stdio-server.mjs'] };

describe('streams without an end', () => {
  let upstream: RecordingUpstream;
  let gateway: TestGateway;

  beforeEach(async () => {
    upstream = await startRecordingUpstream((seen, response) => {
      if (seen.httpMethod !== 'GET') return answerEverything(seen, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': open\n\n');
    });
    const http = { transport: 'http', url: upstream.url, token: { kind: 'none' } };
    gateway = await startTestGateway({ upstreams: { fake, http } });
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

  it.each(['fake', 'http'])('of %s end when the token expires', async (name) => {
    const { rest } = await open(name, { exp: Math.floor(Date.now() / 1000) });
    await rest();
  });

  it.each(['fake', 'http'])('of %s end when the token is revoked, and others do not', async (name) => {
    const revoked = await open(name, { jti: 'to-be-revoked' });
    const other = await open(name);
    await gateway.bus.publish(revocationCreated, {
      id: 'e1',
      type: revocationCreated.type,
      sequence: 1,
      occurredAtMs: Date.now(),
      data: {
        kind: 'token',
        id: 'to-be-revoked',
        expiresAtMs: Date.now() + 60_000,
        revokedAtMs: Date.now(),
      },
    });
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
});
