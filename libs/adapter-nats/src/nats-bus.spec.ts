import { jest } from '@jest/globals';
import type { BusError } from '@behalf/ports';
import { describeWith } from '@behalf/testing';
import { connect } from '@nats-io/transport-node';
import { z } from 'zod';
import { failureOf, standOnNats } from './nats-stand.fixture.js';

const echo = {
  subject: 'behalf.test.text.echo',
  request: z.object({ text: z.string() }),
  reply: z.object({ text: z.string() }),
};
const soon = { timeoutMs: 2_000 };
const timeOfDayMs = Date.now;

describeWith('nats-server')('NatsBus', () => {
  const stand = standOnNats();
  const { open } = stand;

  it('shares requests among replicas, and loses none while one after the other is drained', async () => {
    const caller = await open();
    const answered: Record<string, number> = { a: 0, b: 0 };
    const serve = async (name: 'a' | 'b') => {
      const replica = await open();
      replica.handle(echo, async (payload) => {
        answered[name]!++;
        return payload;
      });
      await replica.announced();
      return replica;
    };
    const [a] = [await serve('a'), await serve('b')];
    const ask = (n: number): Promise<unknown> => caller.request(echo, { text: `${n}` }, soon);
    await Promise.all(Array.from({ length: 50 }, (_, n) => ask(n)));
    expect(answered).not.toMatchObject({ a: 0 });
    expect(answered).not.toMatchObject({ b: 0 });
    const during = Array.from({ length: 50 }, (_, n) => ask(n));
    await a.close();
    expect(await Promise.all(during)).toHaveLength(50);
  });

  it.each([
    ['asks every replica again when one hangs', { text: 'a, repeated' }],
    ['asks once what must not be asked again', 'timeout'],
  ])('%s', async (what, expected) => {
    const repeated = ({ text }: { text: string }) => ({ text: `${text}, repeated` });
    const contract = what.startsWith('asks once') ? echo : { ...echo, repeatable: repeated };
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const caller = await open();
    for (let n = 0; n < 2; n++) {
      const replica = await open();
      let hangs = false;
      // Whichever is asked first answers nothing from then on.
      replica.handle(contract, async ({ text }) => {
        hangs ||= text === 'a';
        if (hangs) await released;
        return { text };
      });
      await replica.announced();
    }
    stand.opened.unshift({ close: async () => release() });
    const answer = caller.request(contract, { text: 'a' }, { timeoutMs: 1_000 });
    expect(await answer.catch(({ reason }: BusError) => reason)).toEqual(expected);
  });

  it('goes on waiting for who was asked first when nobody else can answer', async () => {
    const caller = await open();
    const replica = await open();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    replica.handle({ ...echo, repeatable: () => ({ text: 'again' }) }, async ({ text }) => {
      if (text !== 'again') return held.then(() => ({ text }));
      release();
      throw new Error('only who was asked first can answer');
    });
    await replica.announced();
    const contract = { ...echo, repeatable: () => ({ text: 'again' }) };
    expect(await caller.request(contract, { text: 'a' }, soon)).toEqual({ text: 'a' });
  });

  it('sheds what is too much for the answering side, and says so', async () => {
    const caller = await open();
    const replica = await open({ maxInFlight: 2 });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    // A failed test must not leave a replica that waits for its requests for ever.
    stand.opened.unshift({ close: async () => release() });
    replica.handle(echo, async (payload) => {
      await held;
      return payload;
    });
    await replica.announced();
    const requests = Array.from({ length: 5 }, () => caller.request(echo, { text: '' }, soon));
    const settled = Promise.allSettled(requests);
    // The first to settle is one that was not taken: the two that were are still held.
    expect(await failureOf(Promise.race(requests))).toMatchObject({ reason: 'overloaded' });
    release();
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
  });

  it('refuses more than it may have waiting on the asking side', async () => {
    const caller = await open({ maxInFlight: 1 });
    const replica = await open();
    replica.handle(echo, async (payload) => payload);
    await replica.announced();
    const [first, second] = [1, 2].map(() => caller.request(echo, { text: '' }, soon));
    expect(await failureOf(second!)).toMatchObject({ reason: 'overloaded' });
    expect(await first).toEqual({ text: '' });
  });

  it('refuses what is too large without losing the connection', async () => {
    const bus = await open();
    bus.handle(echo, async ({ text }) => ({ text: text.repeat(2) }));
    expect(await failureOf(bus.request(echo, { text: 'x'.repeat(2_000_000) }, soon))).toMatchObject({
      reason: 'malformed_request',
    });
    expect(await failureOf(bus.request(echo, { text: 'x'.repeat(900_000) }, soon))).toMatchObject({
      reason: 'refused',
      refusal: { error: 'server_error' },
    });
    expect(await bus.request(echo, { text: 'a' }, soon)).toEqual({ text: 'aa' });
  });

  it('answers what is no JSON, and leaves what is no answer of ours', async () => {
    const bus = await open();
    bus.handle(echo, async (payload) => payload);
    await bus.announced();
    const stranger = await connect({ servers: stand.server.url });
    stand.opened.push({ close: () => stranger.close() });
    const answer = await stranger.request(echo.subject, '{"text":', { timeout: 2_000 });
    expect(answer.headers?.get('Behalf-Answer')).toBe('malformed_request');
    const odd = { ...echo, subject: 'behalf.test.text.odd' };
    stranger.subscribe(odd.subject, { callback: (_error, message) => void message.respond('{"text":"x"}') });
    await stranger.flush();
    expect(await failureOf(bus.request(odd, { text: '' }, soon))).toMatchObject({
      reason: 'malformed_reply',
    });
  });

  it('fails requests at once while it is not connected, and answers again when it is', async () => {
    const lost = Promise.withResolvers<void>();
    const back = Promise.withResolvers<void>();
    const bus = await open({ onConnection: (state) => (state === 'lost' ? lost : back).resolve() });
    bus.handle(echo, async (payload) => payload);
    stand.proxy.refuses = true;
    stand.proxy.reset();
    await lost.promise;
    expect(bus.isConnected).toBe(false);
    expect(await failureOf(bus.request(echo, { text: '' }, { timeoutMs: 60_000 }))).toMatchObject({
      reason: 'no_responders',
    });
    stand.proxy.refuses = false;
    await back.promise;
    expect(await bus.request(echo, { text: 'b' }, soon)).toEqual({ text: 'b' });
  });

  it('comes back at once where the clock was set back by minutes', async () => {
    const back = Promise.withResolvers<void>();
    const bus = await open({
      onConnection: (state) => {
        if (state === 'back') back.resolve();
      },
    });
    bus.handle(echo, async (payload) => payload);
    const timeOfDay = jest.spyOn(Date, 'now').mockImplementation(() => timeOfDayMs() - 300_000);
    try {
      stand.proxy.reset();
      await back.promise;
    } finally {
      timeOfDay.mockRestore();
    }
    expect(await bus.request(echo, { text: 'c' }, soon)).toEqual({ text: 'c' });
  });
});
