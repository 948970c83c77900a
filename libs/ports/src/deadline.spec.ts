import {
  Deadline,
  checkDeadline,
  extendDeadline,
  outsideDeadline,
  timeLeftMs,
  withinDeadline,
} from './deadline.js';

const refused = { code: 'temporarily_unavailable', status: 503, retryAfterSeconds: 1 };

describe('the deadline of a request', () => {
  it('is none where nobody has set one', () => {
    expect(timeLeftMs()).toBe(Infinity);
    expect(checkDeadline).not.toThrow();
    expect(() => extendDeadline(1)).not.toThrow();
  });

  it('refuses the next step when it has passed, however deep in the work that is', async () => {
    const steps: number[] = [];
    const step = async (n: number): Promise<void> => {
      checkDeadline();
      steps.push(n);
      // The clock that it goes by, and not timers: a process that is busy has late ones.
      for (const until = performance.now() + 20; performance.now() < until;);
      await Promise.resolve();
    };
    const work = async (): Promise<void> => {
      for (let n = 0; n < 1_000; n++) await step(n);
    };
    await expect(withinDeadline(30, work)).rejects.toMatchObject(refused);
    expect(steps.length).toBeGreaterThanOrEqual(1);
    expect(steps.length).toBeLessThanOrEqual(2);
  });

  it('is not that of another request, of what others share, or of what outlives its request', async () => {
    const over = new Deadline(-1);
    over.run(() => {
      expect(checkDeadline).toThrow(expect.objectContaining(refused));
      expect(outsideDeadline(timeLeftMs)).toBe(Infinity);
      expect(new Deadline(60_000).run(timeLeftMs)).toBeGreaterThan(1_000);
      over.end();
      expect(checkDeadline).not.toThrow();
    });
    let later = checkDeadline;
    await withinDeadline(-1, async () => {
      later = () => checkDeadline();
    });
    expect(later).not.toThrow();
  });

  it('is extended for what waits on purpose, and not when it has passed', () => {
    new Deadline(60_000).run(() => {
      extendDeadline(60_000);
      expect(timeLeftMs()).toBeGreaterThan(60_000);
      extendDeadline(Infinity);
      expect(timeLeftMs()).toBe(Infinity);
    });
    new Deadline(-1).run(() => {
      expect(() => extendDeadline(60_000)).toThrow(expect.objectContaining(refused));
    });
  });
});
