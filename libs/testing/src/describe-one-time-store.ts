import type { Clock, OneTimeStore } from '@behalf/ports';
import { FakeClock } from './fake-clock.js';

export interface OpenOneTimeStore {
  store: OneTimeStore;
  close(): Promise<void>;
}

export interface OneTimeStoreSuiteOptions {
  /** Lets time go by. Without it the fake clock is moved; a server with its own clock has to wait. */
  passSeconds?: (clock: FakeClock, seconds: number) => Promise<void>;
  /** The store's time; that of the fake clock without it. */
  nowMs?: () => number;
}

/** What every one-time store guarantees. */
export function describeOneTimeStore(
  name: string,
  open: (clock: Clock) => Promise<OpenOneTimeStore>,
  options: OneTimeStoreSuiteOptions = {},
): void {
  const passSeconds = options.passSeconds ?? (async (clock, seconds) => clock.advanceSeconds(seconds));

  describe(`one-time store: ${name}`, () => {
    let clock: FakeClock;
    let opened: OpenOneTimeStore;
    let store: OneTimeStore;
    beforeEach(async () => {
      clock = new FakeClock();
      opened = await open(clock);
      store = opened.store;
    });
    afterEach(() => opened.close());

    const claim = (purpose: string, key: string, ttlSeconds: number, ageMs = 0): Promise<boolean> => {
      const issuedAtMs = (options.nowMs?.() ?? clock.nowMs()) - ageMs;
      return store.claim(purpose, key, { ttlSeconds, issuedAtMs });
    };

    it('gives a value to one of 50 concurrent takers', async () => {
      await store.put('state', 'k', 'v', 60);
      const taken = await Promise.all(Array.from({ length: 50 }, () => store.take('state', 'k')));
      expect(taken.filter((value) => value === 'v')).toHaveLength(1);
      expect(taken.filter((value) => value === undefined)).toHaveLength(49);
    });

    it('lets one of 50 concurrent claims win, and no later one', async () => {
      const claimed = await Promise.all(Array.from({ length: 50 }, () => claim('jti', 'k', 60)));
      expect(claimed.filter(Boolean)).toHaveLength(1);
      expect(await claim('jti', 'k', 60)).toBe(false);
    });

    it('keeps purposes apart', async () => {
      await store.put('state', 'k', 'v', 60);
      expect(await store.take('other', 'k')).toBeUndefined();
      expect(await claim('state', 'k', 60)).toBe(true);
      expect(await claim('other', 'k', 60)).toBe(true);
      expect(await store.take('state', 'k')).toBe('v');
    });

    it('replaces a value under the same key', async () => {
      await store.put('state', 'k', 'old', 60);
      await store.put('state', 'k', 'new', 60);
      expect(await store.take('state', 'k')).toBe('new');
    });

    it('forgets a value when its time is over', async () => {
      await store.put('state', 'k', 'v', 1);
      await passSeconds(clock, 1);
      expect(await store.take('state', 'k')).toBeUndefined();
    });

    it('lets nothing be claimed that was made before its memory begins', async () => {
      expect(await claim('jti', 'old', 60, 3_600_000)).toBe(false);
      expect(await claim('jti', 'new', 60)).toBe(true);
    });

    it('lets a key be claimed again when its time is over, not before', async () => {
      expect(await claim('jti', 'k', 1)).toBe(true);
      expect(await claim('jti', 'k', 1)).toBe(false);
      await passSeconds(clock, 1);
      expect(await claim('jti', 'k', 1)).toBe(true);
    });
  });
}
