import { MemoryRecordStore } from '@behalf/adapter-memory';
import { decisionBatches } from '@behalf/policy-life';
import { LocalKeyEncryptionKey } from '@behalf/sealing';
import { FakeClock } from '@behalf/testing';
import { DecisionRecorder } from './decision-recorder.js';

const decided = (n: number, decision: boolean) => ({
  evaluation: {
    subject: { type: 'user', id: 'alice' },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'echo' },
  },
  answer: { decision, context: { id: `d${n}` } },
  caller: undefined,
  decidedAtMs: new FakeClock().nowMs() + n,
  latencyMicros: 1,
  traceId: undefined,
});

describe('DecisionRecorder', () => {
  const clock = new FakeClock();
  const open = (change: object = {}) => {
    const records = new MemoryRecordStore(clock);
    const failures: unknown[] = [];
    const recorder = new DecisionRecorder({
      records,
      keyEncryptionKey: new LocalKeyEncryptionKey(new Uint8Array(32)),
      logger: { error: (fault: unknown) => failures.push(fault) } as never,
      enabled: true,
      retentionDays: 1,
      maxWaiting: 3,
      ...change,
    });
    return { records, recorder, failures };
  };
  const ids = async (records: MemoryRecordStore) =>
    (await records.list(decisionBatches)).flatMap(({ value }) =>
      value.decisions.map(({ decisionId }) => decisionId),
    );

  it('leaves permissions out before denials when too many wait', async () => {
    const { records, recorder } = open();
    for (const [n, decision] of [true, true, false, false, false].entries())
      recorder.add(decided(n, decision));
    await recorder.flush();
    expect(await ids(records)).toEqual(['d2', 'd3', 'd4']);
    expect(recorder.dropped).toBe(2);
  });

  it('lets what comes while it writes gather for the next batch', async () => {
    const { records, recorder } = open({ maxWaiting: 100 });
    const written: number[] = [];
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const transaction = records.transaction.bind(records);
    records.transaction = async (work) => {
      written.push(written.length);
      await held;
      return transaction(work);
    };
    recorder.add(decided(0, true));
    const first = recorder.flush();
    await new Promise(setImmediate);
    for (const n of [1, 2, 3]) recorder.add(decided(n, n === 2));
    release();
    await first;
    expect(await ids(records)).toEqual(['d0']);
    await recorder.flush();
    expect(written).toHaveLength(2);
    expect((await ids(records)).toSorted()).toEqual(['d0', 'd1', 'd2', 'd3']);
  });

  it('forgets decisions when their time is over', async () => {
    const { records, recorder } = open();
    recorder.add(decided(0, true));
    await recorder.flush();
    clock.advanceSeconds(24 * 3600 + 1);
    expect(await ids(records)).toEqual([]);
  });

  it('keeps nothing when it is off, and says when it cannot', async () => {
    const off = open({ enabled: false });
    off.recorder.add(decided(0, true));
    await off.recorder.onApplicationShutdown();
    expect(await ids(off.records)).toEqual([]);

    const broken = open({ records: { transaction: async () => Promise.reject(new Error('disk full')) } });
    broken.recorder.add(decided(0, false));
    await broken.recorder.flush();
    expect(broken.failures).toHaveLength(1);
    expect(broken.recorder.dropped).toBe(1);
  });
});
