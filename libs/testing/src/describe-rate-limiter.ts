import type { Clock, RateLimiter } from '@behalf/ports';
import { FakeClock } from './fake-clock.js';

export interface OpenRateLimiter {
  limiter: RateLimiter;
  close(): Promise<void>;
}

export interface RateLimiterSuiteOptions {
  /** Lets time go by. Without it the fake clock is moved; a server with its own clock has to wait. */
  passSeconds?: (clock: FakeClock, seconds: number) => Promise<void>;
}

/** What every rate limiter guarantees. */
export function describeRateLimiter(
  name: string,
  open: (clock: Clock) => Promise<OpenRateLimiter>,
  options: RateLimiterSuiteOptions = {},
): void {
  const passSeconds = options.passSeconds ?? (async (clock, seconds) => clock.advanceSeconds(seconds));

  describe(`rate limiter: ${name}`, () => {
    let clock: FakeClock;
    let opened: OpenRateLimiter;
    beforeEach(async () => {
      clock = new FakeClock();
      opened = await open(clock);
    });
    afterEach(() => opened.close());

    const attempt = (key: string, windowSeconds = 60, purpose = 'sign-in'): Promise<number | undefined> =>
      opened.limiter.tryAttempt(purpose, key, { attempts: 3, windowSeconds });

    it('lets no more of 20 concurrent attempts go on than the limit', async () => {
      const waits = await Promise.all(Array.from({ length: 20 }, () => attempt('alice')));
      expect(waits.filter((wait) => wait === undefined)).toHaveLength(3);
      for (const wait of waits) if (wait !== undefined) expect([59, 60]).toContain(wait);
    });

    it('keeps keys and purposes apart', async () => {
      for (let n = 0; n < 3; n++) await attempt('alice');
      expect(await attempt('alice')).toBeDefined();
      expect(await attempt('bob')).toBeUndefined();
      expect(await attempt('alice', 60, 'registration')).toBeUndefined();
    });

    it('begins anew when the window is over, also for a key that went on trying', async () => {
      for (let n = 0; n < 5; n++) await attempt('alice', 1);
      await passSeconds(clock, 1);
      expect(await attempt('alice', 1)).toBeUndefined();
    });

    it('takes a forgiven attempt back, and never more than there were', async () => {
      for (let n = 0; n < 3; n++) await attempt('alice');
      await opened.limiter.forgive('sign-in', 'alice');
      expect(await attempt('alice')).toBeUndefined();
      expect(await attempt('alice')).toBeDefined();
      for (let n = 0; n < 9; n++) await opened.limiter.forgive('sign-in', 'alice');
      const waits = [await attempt('alice'), await attempt('alice'), await attempt('alice')];
      expect([...waits, (await attempt('alice')) !== undefined]).toEqual([
        undefined,
        undefined,
        undefined,
        true,
      ]);
    });
  });
}
