import { MemoryRecordStore } from '@behalf/adapter-memory';
import { systemClock } from '@behalf/ports';
import { createLogger } from '@behalf/service-kit';
import { PolicyAnnouncer } from './policy-announcer.js';

const logger = createLogger('policy', 'silent');
const times = { firstMs: 1, longestMs: 2, maxTries: 4 };

/** Cannot be written so many times. */
class FailingStore extends MemoryRecordStore {
  tries = 0;
  onTry = (): void => {};

  constructor(private readonly failures: number) {
    super(systemClock);
  }

  override async transaction<R>(work: Parameters<MemoryRecordStore['transaction']>[0]): Promise<R> {
    this.tries++;
    this.onTry();
    if (this.tries <= this.failures) throw new Error('no server');
    return super.transaction(work) as Promise<R>;
  }

  get told(): unknown[] {
    return this.outbox.map(({ type, data }) => [type, data]);
  }
}
const changed = (version: string): unknown[] => ['behalf.policy.changed', { version }];

it('tells a change when the records can be written again', async () => {
  const records = new FailingStore(3);
  await new PolicyAnnouncer(records, logger, times).tell('v1');
  expect(records.told).toEqual([changed('v1')]);
});

it('tells it once', async () => {
  const records = new FailingStore(0);
  await new PolicyAnnouncer(records, logger, times).tell('v1');
  expect([records.tries, records.told]).toEqual([1, [changed('v1')]]);
});

it('gives up after so many tries', async () => {
  const records = new FailingStore(Infinity);
  await new PolicyAnnouncer(records, logger, times).tell('v1');
  expect(records.tries).toBe(times.maxTries);
});

it('leaves a change that another has overtaken', async () => {
  const records = new FailingStore(1);
  const announcer = new PolicyAnnouncer(records, logger, times);
  await Promise.all([announcer.tell('v1'), announcer.tell('v2')]);
  expect(records.told).toEqual([changed('v2')]);
});

it('tries once more at the end, and waits for no pause', async () => {
  const records = new FailingStore(1);
  const announcer = new PolicyAnnouncer(records, logger, {
    firstMs: 3_600_000,
    longestMs: 3_600_000,
    maxTries: 4,
  });
  records.onTry = () => queueMicrotask(() => announcer.end());
  await announcer.tell('v1');
  expect(records.told).toEqual([changed('v1')]);
});
