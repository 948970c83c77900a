import type { Clock, LeaseStore } from '@behalf/ports';
import { FakeClock } from './fake-clock.js';

export interface OpenLeaseStore {
  store: LeaseStore;
  /** As after the server was emptied; left out where the store lives and dies with the process. */
  empty?: () => Promise<void>;
  close(): Promise<void>;
}

export interface LeaseStoreSuiteOptions {
  /** Lets time go by. Without it the fake clock is moved; a server with its own clock has to wait. */
  passMs?: (clock: FakeClock, ms: number) => Promise<void>;
}

/** What every lease store guarantees. */
export function describeLeaseStore(
  name: string,
  open: (clock: Clock) => Promise<OpenLeaseStore>,
  options: LeaseStoreSuiteOptions = {},
): void {
  const passMs = options.passMs ?? (async (clock, ms) => clock.advanceMs(ms));

  describe(`lease store: ${name}`, () => {
    let clock: FakeClock;
    let opened: OpenLeaseStore;
    let store: LeaseStore;
    beforeEach(async () => {
      clock = new FakeClock();
      opened = await open(clock);
      store = opened.store;
    });
    afterEach(() => opened.close());

    it('gives a lease to one of 50 who ask at once', async () => {
      const leases = await Promise.all(Array.from({ length: 50 }, () => store.acquire('a', 60_000)));
      expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
    });

    it('keeps names apart', async () => {
      expect(await store.acquire('a', 60_000)).toBeDefined();
      expect(await store.acquire('b', 60_000)).toBeDefined();
    });

    it('gives it to the next one when it was given back, with a greater fence', async () => {
      const first = (await store.acquire('a', 60_000))!;
      await store.release(first);
      expect((await store.acquire('a', 60_000))!.fence).toBeGreaterThan(first.fence);
    });

    it('gives it to the next one when its time is over, and nothing to who had it', async () => {
      const first = (await store.acquire('a', 50))!;
      await passMs(clock, 60);
      expect(await store.renew(first, 60_000)).toBe(false);
      const second = (await store.acquire('a', 60_000))!;
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(await store.renew(first, 60_000)).toBe(false);
      await store.release(first);
      expect(await store.acquire('a', 60_000)).toBeUndefined();
      expect(await store.renew(second, 60_000)).toBe(true);
    });

    it('lets it last while it is renewed', async () => {
      const lease = (await store.acquire('a', 100))!;
      expect(await store.renew(lease, 60_000)).toBe(true);
      await passMs(clock, 150);
      expect(await store.acquire('a', 60_000)).toBeUndefined();
    });

    it('goes on with greater fences when it has forgotten everything', async () => {
      const first = (await store.acquire('a', 60_000))!;
      if (!opened.empty) return;
      await opened.empty();
      const second = (await store.acquire('a', 60_000))!;
      expect(second.fence).toBeGreaterThan(first.fence);
      expect(await store.renew(first, 60_000)).toBe(false);
    });
  });
}
