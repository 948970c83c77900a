import type { Cache, Clock } from '@behalf/ports';
import { FakeClock } from './fake-clock.js';

export interface OpenCache {
  cache: Cache<string>;
  close(): Promise<void>;
}

export interface CacheSuiteOptions {
  /** Lets time go by. Without it the fake clock is moved; a server with its own clock has to wait. */
  passSeconds?: (clock: FakeClock, seconds: number) => Promise<void>;
}

/** What every cache guarantees: never an old value, never one past its time. */
export function describeCache(
  name: string,
  open: (clock: Clock) => Promise<OpenCache>,
  options: CacheSuiteOptions = {},
): void {
  const passSeconds = options.passSeconds ?? (async (clock, seconds) => clock.advanceSeconds(seconds));

  describe(`cache: ${name}`, () => {
    let clock: FakeClock;
    let opened: OpenCache;
    let cache: Cache<string>;
    beforeEach(async () => {
      clock = new FakeClock();
      opened = await open(clock);
      cache = opened.cache;
    });
    afterEach(() => opened.close());

    it('gives back what was set, under its own key only', async () => {
      await cache.set('a', 'one', 60);
      expect(await cache.get('a')).toBe('one');
      expect(await cache.get('b')).toBeUndefined();
    });

    it('replaces an entry together with its lifetime', async () => {
      await cache.set('a', 'old', 1);
      await cache.set('a', 'new', 60);
      await passSeconds(clock, 1);
      expect(await cache.get('a')).toBe('new');
    });

    it('forgets an entry when it is deleted', async () => {
      await cache.set('a', 'one', 60);
      await cache.delete('a');
      expect(await cache.get('a')).toBeUndefined();
    });

    it('forgets an entry when its time is over', async () => {
      await cache.set('a', 'one', 1);
      await passSeconds(clock, 1);
      expect(await cache.get('a')).toBeUndefined();
    });
  });
}
