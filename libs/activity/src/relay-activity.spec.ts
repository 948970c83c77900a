import { MemoryRecordStore } from '@behalf/adapter-memory';
import { canonicalJson } from '@behalf/i-json';
import type { Publication } from '@behalf/ports';
import { FakeClock } from '@behalf/testing';
import { activityWaiting, relayActivity } from './index.js';

describe('relayActivity', () => {
  let log: string[];
  let told: number[];
  let faults: string[];
  let records: MemoryRecordStore;
  let publishing: (batch: readonly Publication[]) => Promise<void>;
  beforeEach(() => {
    [log, told, faults] = [[], [], []];
    records = new MemoryRecordStore(new FakeClock());
    publishing = async (batch) => void told.push(...batch.map(({ envelope }) => envelope.sequence));
  });
  const leaves = {
    head: async () => ({ size: log.length, root: new Uint8Array() }),
    leaves: async (from: number, limit: number) => log.slice(from, from + limit),
  };
  const append = (count: number, type = 'decision'): void => {
    for (let n = 0; n < count; n++)
      log.push(canonicalJson({ type, outcome: 'allowed', occurredAtMs: 1, decisionId: `${log.length}` }));
  };
  const relay = (mayGoOn: () => boolean = () => true) =>
    relayActivity({
      leaves,
      records,
      bus: { publishInOrder: (batch) => publishing(batch) },
      origin: 'as.example/audit',
      mayGoOn: async () => mayGoOn(),
      onFault: (what) => faults.push(what),
    });
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n);

  it('tells of every leaf once, in order, and of new ones the next time', async () => {
    append(300);
    await relay();
    await relay();
    append(5, 'sign-in');
    append(5);
    await relay();
    expect(told).toEqual([...numbers(0, 300), ...numbers(305, 310)]);
    expect(await activityWaiting({ leaves, records })).toBe(0);
  });

  it('begins with the last of a log that is old already', async () => {
    append(10_020);
    await relay();
    expect(told).toEqual(numbers(20, 10_020));
  });

  it('tells again what was not published, and says how much waits', async () => {
    append(100);
    const working = publishing;
    publishing = async () => Promise.reject(new Error('NATS is away'));
    await expect(relay()).rejects.toThrow('NATS is away');
    expect(await activityWaiting({ leaves, records })).toBe(100);
    publishing = working;
    await relay();
    expect(told).toEqual(numbers(0, 100));
  });

  it('passes over a leaf that cannot be read, and says so', async () => {
    append(2);
    log.push('{"no":"record"}');
    append(1);
    await relay();
    expect(told).toEqual([0, 1, 3]);
    expect(faults).toEqual(['leaf 2 of the audit log was not told']);
  });

  it('of two at once, each goes on where the other is', async () => {
    append(1_000);
    await Promise.all([relay(), relay()]);
    expect([...new Set(told)].sort((a, b) => a - b)).toEqual(numbers(0, 1_000));
    expect(await activityWaiting({ leaves, records })).toBe(0);
  });

  it('stops after a batch when it may not go on', async () => {
    append(1_000);
    let asked = 0;
    await relay(() => asked++ === 0);
    expect(told.length).toBeLessThan(1_000);
    await relay();
    expect(told).toEqual(numbers(0, 1_000));
  });
});
