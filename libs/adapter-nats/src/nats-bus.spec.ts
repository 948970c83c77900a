import { jest } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { FaultyProxy, type LocalServer, startNats } from '@behalf/local-servers';
import type { BusError, Publication } from '@behalf/ports';
import { describeWith } from '@behalf/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { z } from 'zod';
import { NatsBus, type NatsBusOptions, eventStreams } from './index.js';

const echo = {
  subject: 'behalf.test.text.echo',
  request: z.object({ text: z.string() }),
  reply: z.object({ text: z.string() }),
};
const counted = { type: 'behalf.test.counted', data: z.object({ n: z.number() }) };
const soon = { timeoutMs: 2_000 };
const timeOfDayMs = Date.now;
/** That nats-server lets a stream have. */
const shortestWindowMs = 100;

describeWith('nats-server')('NatsBus', () => {
  let server: LocalServer;
  let proxy: FaultyProxy;
  let opened: { close(): Promise<void> }[];
  beforeAll(async () => {
    server = await startNats();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    opened = [];
    proxy = await FaultyProxy.open(server.port);
  });
  afterEach(async () => {
    for (const one of opened) await one.close();
    await proxy.close();
  });

  const open = async (options: Partial<NatsBusOptions> = {}): Promise<NatsBus> => {
    const bus = await NatsBus.open({
      url: proxy.via(server.url),
      service: 'test',
      maxInFlight: 100,
      ownsEvents: true,
      ...options,
    });
    opened.push({ close: () => bus.close() });
    return bus;
  };
  const failureOf = (request: Promise<unknown>): Promise<BusError> =>
    request.then(
      () => Promise.reject(new Error('the request was answered')),
      (error: unknown) => error as BusError,
    );
  const publish = async (bus: NatsBus, ...numbers: number[]): Promise<void> => {
    for (const n of numbers)
      await bus.publish(counted, {
        id: randomUUID(),
        type: counted.type,
        sequence: n,
        occurredAtMs: 0,
        data: { n },
      });
  };
  /** Resolves when these have been heard; duplicates do not count. */
  const listen = (bus: NatsBus) => {
    const heard = new Set<number>();
    let check = (): void => {};
    bus.subscribe(counted, ({ data }) => {
      heard.add(data.n);
      check();
    });
    return async (...numbers: number[]): Promise<void> => {
      await new Promise<void>((resolve) => {
        check = () => numbers.every((n) => heard.has(n)) && resolve();
        check();
      });
      expect([...heard]).toEqual([...heard].sort((a, b) => a - b));
    };
  };

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
    opened.unshift({ close: async () => release() });
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
    opened.unshift({ close: async () => release() });
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
    const stranger = await connect({ servers: server.url });
    opened.push({ close: () => stranger.close() });
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
    proxy.refuses = true;
    proxy.reset();
    await lost.promise;
    expect(bus.isConnected).toBe(false);
    expect(await failureOf(bus.request(echo, { text: '' }, { timeoutMs: 60_000 }))).toMatchObject({
      reason: 'no_responders',
    });
    proxy.refuses = false;
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
      proxy.reset();
      await back.promise;
    } finally {
      timeOfDay.mockRestore();
    }
    expect(await bus.request(echo, { text: 'c' }, soon)).toEqual({ text: 'c' });
  });

  it('stores an event once that is published again', async () => {
    const bus = await open();
    let heard = 0;
    const { promise: last, resolve } = Promise.withResolvers<void>();
    bus.subscribe(counted, ({ data }) => {
      heard++;
      if (data.n === 2) resolve();
    });
    const event = { id: randomUUID(), type: counted.type, sequence: 1, occurredAtMs: 0, data: { n: 1 } };
    await bus.publish(counted, event);
    await bus.publish(counted, event);
    await publish(bus, 2);
    await last;
    expect(heard).toBe(2);
  });

  describe('several in order', () => {
    let contract: { type: string; stream: 'activity'; data: typeof counted.data };
    beforeEach(() => {
      contract = { type: `behalf.test.${randomUUID()}`, stream: 'activity', data: counted.data };
    });
    const several = (from: number, to: number): Publication[] =>
      Array.from({ length: to - from }, (_, nth) => {
        const n = from + nth;
        const id = `${contract.type}/${n}`;
        const envelope = { id, type: contract.type, sequence: n, occurredAtMs: 0, data: { n } };
        return { contract, envelope };
      });
    /** What the stream has, in its order, up to the last one that is wanted. */
    const stored = async (bus: NatsBus, last: number): Promise<number[]> => {
      const heard: number[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      bus.subscribe(contract, ({ sequence }) => {
        heard.push(sequence);
        if (sequence === last) resolve();
      });
      await promise;
      return heard;
    };
    const numbers = (to: number): number[] => Array.from({ length: to }, (_, n) => n);

    it('leaves what is there, and goes on after it', async () => {
      const bus = await open();
      await bus.publishInOrder(several(0, 30));
      await bus.publishInOrder(several(10, 60));
      await bus.publishInOrder(several(50, 60));
      expect(await stored(bus, 59)).toEqual(numbers(60));
    });

    it('is one sequence of two that publish the same at once', async () => {
      const buses = [await open(), await open()];
      for (let from = 0; from < 300; from += 50) {
        const batch = several(from, from + 50);
        const publishing = buses.map(async (bus) => {
          // Whoever was overtaken in the middle begins again.
          for (;;)
            if (
              await bus.publishInOrder(batch).then(
                () => true,
                () => false,
              )
            )
              return;
        });
        await Promise.all(publishing);
      }
      expect(await stored(buses[0]!, 299)).toEqual(numbers(300));
    });

    it('has nothing twice of what was begun so long ago that the server has forgotten its ids', async () => {
      const own = await startNats();
      const begun = await open({ url: own.url });
      const batch = several(0, 30);
      await begun.publishInOrder(batch);
      const connection = await connect({ servers: own.url });
      const { streams } = await jetstreamManager(connection);
      const { config } = await streams.info(eventStreams.activity.name);
      const duplicate_window = nanos(shortestWindowMs);
      await streams.update(eventStreams.activity.name, { ...config, duplicate_window });
      await connection.close();
      await begun.close();
      // What is older than the window is not known to a server that has started since.
      await setTimeout(2 * shortestWindowMs);
      await own.process.kill();
      await own.process.start();
      const back = await open({ url: own.url });
      await back.publishInOrder(batch.slice(10));
      await back.publishInOrder([...batch, ...several(30, 40)]);
      expect(await stored(back, 39)).toEqual(numbers(40));
      await back.close();
      await own.close();
    }, 30_000);

    it('has nothing after what could not be published', async () => {
      const bus = await open();
      const batch = several(0, 10);
      const [fourth] = several(3, 4);
      const data = { n: 3, tooLarge: 'x'.repeat(2_000_000) };
      const large = batch.with(3, { ...fourth!, envelope: { ...fourth!.envelope, data } });
      await expect(bus.publishInOrder(large)).rejects.toThrow();
      await bus.publishInOrder(several(3, 5));
      expect(await stored(bus, 4)).toEqual(numbers(5));
    });

    it('says in headers what and about whom, in CloudEvents attributes', async () => {
      const bus = await open();
      const [one] = several(0, 1);
      const about = { ...one!, contract: { ...one!.contract, subject: () => 'https://app.example/Zoë 1' } };
      const stranger = await connect({ servers: server.url });
      opened.push({ close: () => stranger.close() });
      const subscription = stranger.subscribe('behalf.activity.>', { max: 1 });
      await stranger.flush();
      await bus.publishInOrder([about]);
      for await (const { headers, subject } of subscription) {
        expect(subject).toBe(contract.type.replace('behalf.', 'behalf.activity.'));
        const attributes = (headers?.keys() ?? []).filter((key) => key.startsWith('ce-'));
        expect(Object.fromEntries(attributes.map((key) => [key, headers?.get(key)]))).toEqual({
          'ce-specversion': '1.0',
          'ce-id': `${contract.type}/0`,
          'ce-type': contract.type,
          'ce-source': 'behalf',
          'ce-time': '1970-01-01T00:00:00.000Z',
          'ce-datacontenttype': 'application/json',
          'ce-subject': 'https://app.example/Zo%C3%AB%201',
        });
      }
    });
  });

  it('hears after a lost connection what was published meanwhile, in order', async () => {
    const back = Promise.withResolvers<void>();
    const bus = await open({ onConnection: (state) => state === 'back' && back.resolve() });
    const elsewhere = await open({ url: server.url });
    const heard = listen(bus);
    await publish(elsewhere, 1);
    await heard(1);
    proxy.refuses = true;
    proxy.reset();
    await publish(elsewhere, 2, 3);
    proxy.refuses = false;
    await back.promise;
    await publish(elsewhere, 4);
    await heard(1, 2, 3, 4);
  });

  it('goes on when NATS was killed, and when it comes back without its streams', async () => {
    let back = Promise.withResolvers<void>();
    const bus = await open({ onConnection: (state) => state === 'back' && back.resolve() });
    const heard = listen(bus);
    await publish(bus, 1);
    await heard(1);
    await server.process.kill();
    await server.process.start();
    await back.promise;
    await publish(bus, 2);
    await heard(1, 2);
    back = Promise.withResolvers();
    await server.restartEmpty();
    await back.promise;
    await publish(bus, 3);
    await heard(1, 2, 3);
  });

  it('says that nobody is there where there is no stream, and it is not the one to make it', async () => {
    await server.restartEmpty();
    const bus = await open({ ownsEvents: false });
    expect(await failureOf(publish(bus, 1))).toMatchObject({ reason: 'no_responders' });
  });
});
