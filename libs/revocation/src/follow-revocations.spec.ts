import { InProcessBus } from '@behalf/adapter-memory';
import { type Revocation, listRevocations, revocationCreated } from '@behalf/contracts';
import { startMetrics } from '@behalf/telemetry';
import { FakeClock, freePort, readMetrics, sumOf } from '@behalf/testing';
import { RevocationView, followRevocations } from './index.js';

const revocationOf = (id: string, clock: FakeClock): Revocation => ({
  kind: 'token',
  id,
  revokedAtMs: clock.nowMs(),
  expiresAtMs: clock.nowMs() + 60_000,
});

describe('followRevocations', () => {
  const clock = new FakeClock();
  let elapsedMs: number;
  let view: RevocationView;
  let bus: InProcessBus;
  let made: Revocation[];
  /** Resolves with the question that the next answer was for. */
  let asked: PromiseWithResolvers<string | undefined>;
  let following: { drain(): Promise<void> };
  let isAnswering: boolean;

  beforeEach(async () => {
    elapsedMs = 0;
    made = [];
    isAnswering = true;
    view = new RevocationView(clock, () => elapsedMs);
    bus = new InProcessBus({ maxInFlight: 10 });
    asked = Promise.withResolvers();
    bus.handle(listRevocations, async ({ after }) => {
      asked.resolve(after);
      asked = Promise.withResolvers();
      if (!isAnswering) throw new Error('down');
      const from = Number(after ?? 0);
      const revocations = made.slice(from, from + 2);
      return {
        revocations,
        cursor: `${from + revocations.length}`,
        more: from + revocations.length < made.length,
      };
    });
  });
  afterEach(async () => {
    await following.drain();
    await bus.close();
  });

  const isRevoked = (jti: string): boolean => view.isRevoked({ jti });
  /** Two questions from now, the answer to the first one has been taken in. */
  const caughtUp = async (): Promise<void> => {
    await asked.promise;
    await asked.promise;
  };

  it('takes over all pages before it says that it knows', async () => {
    made = ['a', 'b', 'c', 'd', 'e'].map((id) => revocationOf(id, clock));
    following = followRevocations(bus, view, { service: 'test', intervalMs: 5 });
    expect(() => isRevoked('a')).toThrow('not known');
    await asked.promise;
    await asked.promise;
    expect(view.isCurrent).toBe(false);
    await caughtUp();
    expect([isRevoked('a'), isRevoked('e'), isRevoked('f')]).toEqual([true, true, false]);
  });

  it('hears of a revocation by event, and of one whose event was lost by asking', async () => {
    let told = 0;
    following = followRevocations(bus, view, {
      service: 'test',
      intervalMs: 5,
      onRevoked: () => void told++,
    });
    await caughtUp();
    const data = revocationOf('by event', clock);
    await bus.publish(revocationCreated, {
      id: 'e',
      type: revocationCreated.type,
      sequence: 1,
      occurredAtMs: 0,
      data,
    });
    await new Promise(setImmediate);
    expect([isRevoked('by event'), told]).toEqual([true, 1]);
    made = [revocationOf('without event', clock)];
    await caughtUp();
    expect([isRevoked('without event'), told]).toEqual([true, 2]);
  });

  it('refuses when it has not been confirmed for too long, and catches up by itself', async () => {
    following = followRevocations(bus, view, { service: 'test', intervalMs: 5 });
    await caughtUp();
    expect(isRevoked('a')).toBe(false);
    isAnswering = false;
    await caughtUp();
    elapsedMs += 10_001;
    expect(view.isCurrent).toBe(false);
    expect(() => isRevoked('a')).toThrow('not known');
    made = [revocationOf('meanwhile', clock)];
    isAnswering = true;
    await caughtUp();
    expect([view.isCurrent, isRevoked('meanwhile')]).toEqual([true, true]);
  });

  it('measures how long ago it was known, for each service of the process, in seconds', async () => {
    const port = await freePort();
    const measuring = await startMetrics({ serviceName: 'test', host: '127.0.0.1', port });
    const lag = async (service: string) =>
      sumOf(await readMetrics(port), 'behalf_revocation_lag', { service_name: service });
    const never = new RevocationView(clock, () => elapsedMs);
    const silent = new InProcessBus({ maxInFlight: 1 });
    const other = followRevocations(silent, never, { service: 'gateway', intervalMs: 3_600_000 });
    following = followRevocations(bus, view, { service: 'policy', intervalMs: 5 });
    await caughtUp();
    isAnswering = false;
    await caughtUp();
    expect(await lag('policy')).toBe(0);
    elapsedMs += 7_500;
    expect([await lag('policy'), await lag('gateway')]).toEqual([7.5, Infinity]);
    isAnswering = true;
    await caughtUp();
    expect(await lag('policy')).toBe(0);
    await other.drain();
    await silent.close();
    await measuring.stop();
  });
});
