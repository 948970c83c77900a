import { InProcessBus } from '@behalf/adapter-memory';
import { FakeClock } from '@behalf/testing';
import { z } from 'zod';
import { migrate, openPglite, OutboxRelay, SqlEventLog, SqlRecordStore } from './index.js';

const happened = { type: 'behalf.test.happened', data: z.number() };

describe('SqlEventLog', () => {
  it('gives events by their place, published or not, and none that has no place yet', async () => {
    const clock = new FakeClock();
    const opened = await openPglite('memory://');
    const bus = new InProcessBus({ maxInFlight: 10 });
    try {
      await migrate(opened.db);
      const records = new SqlRecordStore(opened.db, clock);
      const log = new SqlEventLog(opened.db);
      const emit = (data: number) => records.transaction((transaction) => transaction.emit(happened, data));
      expect(await log.head()).toBe(0);
      for (const data of [1, 2, 3]) await emit(data);
      expect(await log.after(0, 10)).toEqual([]);
      await new OutboxRelay(opened.db, bus, clock, { sweepIntervalMs: 1_000 }).publishPending();
      expect(await log.head()).toBe(3);
      expect((await log.after(0, 2)).map(({ sequence, data }) => [sequence, data])).toEqual([
        [1, 1],
        [2, 2],
      ]);
      expect(await log.after(2, 10)).toMatchObject([
        { type: happened.type, sequence: 3, occurredAtMs: clock.nowMs(), data: 3 },
      ]);
    } finally {
      await bus.close();
      await opened.close();
    }
  }, 60_000);
});
