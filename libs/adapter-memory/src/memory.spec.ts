import {
  describeBus,
  describeCache,
  describeLeaseStore,
  describeOneTimeStore,
  describeRateLimiter,
  describeRecordStore,
} from '@behalf/testing';
import {
  InProcessBus,
  MemoryCache,
  MemoryLeaseStore,
  MemoryOneTimeStore,
  MemoryRateLimiter,
  MemoryRecordStore,
} from './index.js';

describeRecordStore('memory', async (clock) => {
  const store = new MemoryRecordStore(clock);
  return {
    store,
    committedEvents: async () => store.outbox.map(({ type, data }) => ({ type, data })),
    close: async () => {},
  };
});
describeOneTimeStore('memory', async (clock) => ({
  store: new MemoryOneTimeStore(clock, { rememberedSinceMs: clock.nowMs() }),
  close: async () => {},
}));
describeRateLimiter('memory', async (clock) => ({
  limiter: new MemoryRateLimiter(clock),
  close: async () => {},
}));
describeLeaseStore('memory', async (clock) => ({
  store: new MemoryLeaseStore(clock),
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
