import { describeBus, describeCache, describeOneTimeStore, describeRecordStore } from '@behalf/testing';
import { z } from 'zod';
import { InProcessBus, MemoryCache, MemoryOneTimeStore, MemoryRecordStore } from './index.js';

describeRecordStore('memory', async (clock) => {
  const store = new MemoryRecordStore(clock);
  return {
    store,
    committedEvents: async () => store.outbox.map(({ type, data }) => ({ type, data })),
    close: async () => {},
  };
});
describeOneTimeStore('memory', async (clock) => ({
  store: new MemoryOneTimeStore(clock),
  close: async () => {},
}));
describeCache('memory', async (clock) => ({
  cache: new MemoryCache<string>(clock, { maxEntries: 10 }),
  close: async () => {},
}));
describeBus('in process', async () => {
  const bus = new InProcessBus({ maxInFlight: 100 });
  return { bus, close: () => bus.close() };
});

describe('MemoryCache', () => {
  it('keeps no more than it may', async () => {
    const cache = new MemoryCache<number>({ nowMs: () => 0 }, { maxEntries: 2 });
    for (const key of ['a', 'b', 'c']) await cache.set(key, 1, 60);
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.get('c')).toBe(1);
  });
});

describe('InProcessBus', () => {
  const echo = { subject: 'behalf.test.text.echo', request: z.string(), reply: z.string() };

  it('refuses more than may be in flight, and counts what a caller no longer waits for', async () => {
    const bus = new InProcessBus({ maxInFlight: 1 });
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    bus.handle(echo, async (text) => {
      await held;
      return text;
    });
    await expect(bus.request(echo, 'a', { timeoutMs: 1 })).rejects.toMatchObject({ reason: 'timeout' });
    await expect(bus.request(echo, 'b', { timeoutMs: 1000 })).rejects.toMatchObject({ reason: 'overloaded' });
    release();
    await bus.close();
  });

  it('tells the operator of an event that a listener could not read', async () => {
    const failed: string[] = [];
    const bus = new InProcessBus({ maxInFlight: 1, onListenerError: (type) => failed.push(type) });
    bus.subscribe({ type: 'behalf.test.happened', data: z.string() }, () => {});
    const event = { id: '1', type: 'behalf.test.happened', sequence: 1, occurredAtMs: 0, data: 7 };
    await bus.publish({ type: 'behalf.test.happened', data: z.unknown() }, event);
    await bus.close();
    expect(failed).toEqual(['behalf.test.happened']);
  });
});
