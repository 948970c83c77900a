import { InProcessBus } from '@behalf/adapter-memory';
import { BusError, type EventEnvelope } from '@behalf/ports';
import { FakeClock } from '@behalf/testing';
import { z } from 'zod';
import {
  type OpenedDatabase,
  OutboxRelay,
  SqlRecordStore,
  migrate,
  openPglite,
  sweepExpired,
} from './index.js';

const happened = { type: 'behalf.test.happened', data: z.object({ n: z.number() }) };

describe('OutboxRelay', () => {
  const clock = new FakeClock();
  let opened: OpenedDatabase;
  let bus: InProcessBus;
  let publishing: boolean;
  let relay: OutboxRelay;
  let store: SqlRecordStore;
  let heard: EventEnvelope<{ n: number }>[];
  let errors: unknown[];

  beforeAll(async () => {
    opened = await openPglite('memory://');
    await migrate(opened.db);
  });
  afterAll(() => opened.close());
  beforeEach(() => {
    heard = [];
    errors = [];
    publishing = true;
    bus = new InProcessBus({ maxInFlight: 1000 });
    const publish = bus.publish.bind(bus);
    bus.publish = async (contract, envelope) => {
      if (!publishing) throw new BusError('overloaded', contract.type);
      return publish(contract, envelope);
    };
    bus.subscribe(happened, (event) => void heard.push(event));
    relay = new OutboxRelay(opened.db, bus, clock, {
      sweepIntervalMs: 3_600_000,
      onError: (error) => errors.push(error),
    });
    store = new SqlRecordStore(opened.db, clock, { onCommit: () => relay.publishSoon() });
  });
  afterEach(async () => {
    await relay.stop();
    await bus.close();
    await opened.db.deleteFrom('outbox').execute();
  });

  const emit = (...numbers: number[]): Promise<void> =>
    store.transaction(async (transaction) => {
      for (const n of numbers) await transaction.emit(happened, { n });
    });
  const stop = async (): Promise<number[]> => {
    await relay.stop();
    await bus.close();
    return heard.map(({ data }) => data.n);
  };

  it('publishes after the commit, woken by it, once and in order', async () => {
    await emit(1, 2);
    await emit(3);
    expect(await stop()).toEqual([1, 2, 3]);
    expect(heard.map(({ occurredAtMs }) => occurredAtMs)).toEqual(Array(3).fill(clock.nowMs()));
  });

  it('has published when the caller of the transaction goes on', async () => {
    await emit(1);
    expect(heard.map(({ data }) => data.n)).toEqual([1]);
  });

  it('publishes nothing of a transaction that was rolled back, and leaves no gap for it', async () => {
    await emit(1);
    const failing = store.transaction(async (transaction) => {
      await transaction.emit(happened, { n: 2 });
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    await emit(3);
    expect(await stop()).toEqual([1, 3]);
    expect(heard[1]!.sequence - heard[0]!.sequence).toBe(1);
  });

  it('keeps what could not be published and tries again, under the same id and sequence', async () => {
    publishing = false;
    await emit(1);
    await expect(relay.publishPending()).rejects.toMatchObject({ reason: 'overloaded' });
    expect(errors).not.toHaveLength(0);
    publishing = true;
    await relay.publishPending();
    expect(await stop()).toEqual([1]);
  });

  it('publishes what an earlier process left behind', async () => {
    await new SqlRecordStore(opened.db, clock).transaction((transaction) =>
      transaction.emit(happened, { n: 9 }),
    );
    relay.start();
    expect(await stop()).toEqual([9]);
  });

  it('publishes more than a batch', async () => {
    const numbers = Array.from({ length: 250 }, (_, n) => n);
    await emit(...numbers);
    expect(await stop()).toEqual(numbers);
    expect(heard.map(({ sequence }) => sequence - heard[0]!.sequence)).toEqual(numbers);
  });

  it('goes on counting after published events were swept away', async () => {
    await emit(1);
    await relay.publishPending();
    clock.advanceSeconds(60);
    expect(await sweepExpired(opened.db, { nowMs: clock.nowMs(), keepPublishedMs: 60_000 })).toMatchObject({
      events: 1,
    });
    await emit(2);
    await stop();
    expect(heard[1]!.sequence - heard[0]!.sequence).toBe(1);
  });
});
