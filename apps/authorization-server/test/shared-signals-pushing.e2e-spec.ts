import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { decodeJwt } from 'jose';
import { ReceivingEndpoint } from './receiving-endpoint.fixture.js';
import { pushTo, secretHeader, SignalsStand, streamUpdated } from './signals-stand.fixture.js';

let stand: SignalsStand;
let endpoint: ReceivingEndpoint;
beforeEach(async () => {
  endpoint = await ReceivingEndpoint.start();
  stand = await SignalsStand.start();
});
afterEach(async () => {
  await stand.close();
  await endpoint.close();
});

describe('pushing', () => {
  it('sends each token once, in order, with what the receiver wants to see', async () => {
    await stand.makeStream(pushTo(endpoint.url));
    for (const id of ['a', 'b', 'c']) await stand.revoke(id);
    const got = await endpoint.take(3);
    for (const { headers } of got) {
      expect(headers['content-type']).toBe('application/secevent+jwt');
      expect(headers['authorization']).toBe(secretHeader);
    }
    const sets = await Promise.all(got.map(({ body }) => stand.verify(body)));
    expect(sets.map(({ sub_id: { jti } }) => jti)).toEqual(['a', 'b', 'c']);
    stand.transmitter.wake();
    await stand.revoke('d');
    expect((await stand.verify((await endpoint.take(1))[0]!.body)).sub_id.jti).toBe('d');
  });

  it('tries again, with longer pauses, and then pauses the stream without losing anything', async () => {
    const { stream_id: id } = await stand.makeStream(pushTo(endpoint.url));
    endpoint.status = 503;
    await stand.revoke('a');
    const jtis = new Set<string>();
    for (let attempt = 1; attempt <= 12; attempt++) {
      const [pushed] = await endpoint.take(1);
      jtis.add(String(decodeJwt(pushed!.body).jti));
      await stand.transmitter.idle();
      if (attempt === 12) break;
      // Too early for another one.
      await stand.tellAll();
      expect(endpoint.waiting).toBe(0);
      stand.agents.server.clock.advanceSeconds(3600);
      stand.transmitter.wake();
    }
    expect(jtis.size).toBe(1);
    const why = { status: 'paused', reason: 'the receiver answered 503' };
    expect((await stand.ask('GET', `/status?stream_id=${id}`)).body).toEqual({ stream_id: id, ...why });
    // It is said for as long as the other was, and nothing else is.
    await stand.revoke('b');
    stand.transmitter.wake();
    for (let attempt = 1; attempt <= 12; attempt++) {
      expect(await stand.verify((await endpoint.take(1))[0]!.body)).toMatchObject({
        sub_id: { format: 'opaque', id },
        events: { [streamUpdated]: why },
      });
      await stand.transmitter.idle();
      stand.agents.server.clock.advanceSeconds(3600);
      stand.transmitter.wake();
    }
    await stand.transmitter.idle();
    expect(endpoint.waiting).toBe(0);
    endpoint.status = 202;
    await stand.ask('POST', '/status', { stream_id: id, status: 'enabled' });
    const [first, second] = await endpoint.take(2);
    expect([...jtis]).toEqual([decodeJwt(first!.body).jti]);
    expect((await stand.verify(second!.body)).sub_id.jti).toBe('b');
  });

  it('says once that it has paused, to who takes it, and not to who enables the stream before', async () => {
    const stop = async (id: string): Promise<void> => {
      endpoint.status = 503;
      await stand.revoke(id);
      for (let attempt = 1; attempt <= 12; attempt++) {
        await endpoint.take(1);
        await stand.transmitter.idle();
        if (attempt === 12) endpoint.status = 202;
        stand.agents.server.clock.advanceSeconds(3600);
        if (attempt < 12) stand.transmitter.wake();
      }
    };
    const { stream_id: id } = await stand.makeStream(pushTo(endpoint.url));
    await stop('a');
    stand.transmitter.wake();
    expect(Object.keys((await stand.verify((await endpoint.take(1))[0]!.body)).events)).toEqual([
      streamUpdated,
    ]);
    await stand.transmitter.idle();
    await stand.tellAll();
    expect(endpoint.waiting).toBe(0);
    await stand.ask('POST', '/status', { stream_id: id, status: 'enabled' });
    expect((await stand.verify((await endpoint.take(1))[0]!.body)).sub_id.jti).toBe('a');
  });

  it('SSRF: dials no address of our own network, whatever a receiver names', async () => {
    await stand.close();
    stand = await SignalsStand.start({});
    let dialled = 0;
    await using inside = createServer((socket) => {
      dialled++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(inside, 'listening');
    const { port } = inside.address() as AddressInfo;
    expect(
      (await stand.ask('POST', '/streams', { delivery: pushTo(`http://localhost:${port}/`) })).status,
    ).toBe(400);
    expect((await stand.ask('POST', '/streams', { delivery: pushTo('file:///etc/passwd') })).status).toBe(
      400,
    );
    await stand.makeStream(pushTo(`https://localhost:${port}/`));
    await stand.revoke('a');
    await stand.tellAll();
    expect(dialled).toBe(0);
  });
});
