import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { startNats } from '@behalf/local-servers';
import type { Publication } from '@behalf/ports';
import { describeWith } from '@behalf/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { z } from 'zod';
import { type NatsBus, eventStreams } from './index.js';
import { failureOf, standOnNats } from './nats-stand.fixture.js';

const counted = { type: 'behalf.test.counted', data: z.object({ n: z.number() }) };
/** That nats-server lets a stream have. */
const shortestWindowMs = 100;

describeWith('nats-server')('events of NatsBus', () => {
  const stand = standOnNats();
  const { open } = stand;
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
      const stranger = await connect({ servers: stand.server.url });
      stand.opened.push({ close: () => stranger.close() });
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
    const elsewhere = await open({ url: stand.server.url });
    const heard = listen(bus);
    await publish(elsewhere, 1);
    await heard(1);
    stand.proxy.refuses = true;
    stand.proxy.reset();
    await publish(elsewhere, 2, 3);
    stand.proxy.refuses = false;
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
    await stand.server.process.kill();
    await stand.server.process.start();
    await back.promise;
    await publish(bus, 2);
    await heard(1, 2);
    back = Promise.withResolvers();
    await stand.server.restartEmpty();
    await back.promise;
    await publish(bus, 3);
    await heard(1, 2, 3);
  });

  it('says that nobody is there where there is no stream, and it is not the one to make it', async () => {
    await stand.server.restartEmpty();
    const bus = await open({ ownsEvents: false });
    expect(await failureOf(publish(bus, 1))).toMatchObject({ reason: 'no_responders' });
  });
});
