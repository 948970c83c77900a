import { InProcessBus, MemoryEventLog, MemoryRecordStore } from '@behalf/adapter-memory';
import {
  type Clock,
  type EventContract,
  type EventEnvelope,
  type Subscription,
  systemClock,
} from '@behalf/ports';
import { z } from 'zod';
import { EventFollower, reactTo } from './index.js';

const ended = { type: 'behalf.test.ended', data: z.object({ id: z.string() }) };
const other = { type: 'behalf.test.other', data: z.object({}) };
/** What a program of another version tells. */
const malformed: EventContract<unknown> = { type: ended.type, data: z.unknown() };

interface Heard {
  event: EventEnvelope<{ id: string }>;
  /** How often it was told before. */
  before: number;
}

function system(clock: Clock = systemClock) {
  const bus = new InProcessBus({ maxInFlight: 100 });
  let carries = true;
  const records = new MemoryRecordStore(clock, {
    onCommit: (events) => {
      if (carries)
        for (const event of events) void bus.publish({ ...ended, type: event.type }, event as never);
    },
  });
  const ports = { bus, events: new MemoryEventLog(records), records, clock };
  const faults: string[] = [];
  const told = new Map<string, number>();
  /** Everything that was done, by id and in order, and who waits for it. */
  const done: string[] = [];
  let news = Promise.withResolvers<void>();
  const until = async (isWanted: () => boolean): Promise<void> => {
    while (!isWanted()) await news.promise;
  };
  return {
    done,
    faults,
    told,
    until,
    loseEvents: () => (carries = false),
    emit: <T>(contract: EventContract<T>, data: T) =>
      records.transaction((transaction) => transaction.emit(contract, data)),
    start: (react: (heard: Heard) => void = () => {}): Promise<Subscription> =>
      EventFollower.start(
        [
          reactTo(ended, async (event) => {
            const { id } = event.data;
            const before = told.get(id) ?? 0;
            told.set(id, before + 1);
            react({ event, before });
            done.push(id);
            news.resolve();
            news = Promise.withResolvers();
          }),
        ],
        ports,
        { service: 'test', name: 'ends', onFault: (what) => faults.push(what) },
      ),
  };
}
/** Each time that it is asked, ten minutes later: nothing is put off. */
const flying = (): Clock => {
  let nowMs = 0;
  return { nowMs: () => (nowMs += 600_000) };
};
const fails = (): never => {
  throw new Error('the database is away');
};

describe('EventFollower', () => {
  it('tries again what fails, and holds up nothing meanwhile', async () => {
    const { emit, start, until, done, told, faults } = system();
    const following = await start(
      ({ event, before }) => event.data.id === 'fails twice' && before < 2 && fails(),
    );
    await emit(ended, { id: 'fails twice' });
    await emit(ended, { id: 'next' });
    await until(() => done.length === 2);
    expect([done, told.get('fails twice'), told.get('next'), faults.length]).toEqual([
      ['next', 'fails twice'],
      3,
      1,
      2,
    ]);
    await following.drain();
  });

  it('does what was told while nobody was there, once, and nothing of before it was ever there', async () => {
    const { emit, start, until, done, told } = system();
    await emit(ended, { id: 'before all' });
    await (await start()).drain();
    for (const id of ['1', '2']) await emit(ended, { id });
    await emit(other, {});
    const following = await start();
    await emit(ended, { id: '3' });
    await until(() => done.length === 3);
    await following.drain();
    const again = await start();
    await emit(ended, { id: '4' });
    await until(() => done.includes('4'));
    await again.drain();
    expect([done, [...told.values()]]).toEqual([
      ['1', '2', '3', '4'],
      [1, 1, 1, 1],
    ]);
  });

  it('does not depend on the bus', async () => {
    const { emit, start, until, done, loseEvents } = system();
    const following = await start();
    loseEvents();
    await emit(ended, { id: 'lost' });
    await until(() => done.includes('lost'));
    await following.drain();
  }, 30_000);

  it('gives up what nobody can read or do, after a while, and says so; the others are done', async () => {
    const { emit, start, until, done, told, faults } = system(flying());
    const following = await start(({ event }) => event.data.id === 'poison' && fails());
    await emit(ended, { id: 'poison' });
    await emit(malformed, { name: 'what' });
    await emit(ended, { id: 'next' });
    await until(() => done.includes('next'));
    while (faults.filter((what) => what.endsWith('is given up')).length < 2)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await emit(ended, { id: 'last' });
    await until(() => done.includes('last'));
    expect([done, told.get('poison')]).toEqual([['next', 'last'], 13]);
    await following.drain();
  });

  it('goes on with the failures of a replica that has ended', async () => {
    const { emit, start, until, done, faults } = system();
    const first = await start(({ event }) => event.data.id === 'poison' && fails());
    await emit(ended, { id: 'poison' });
    while (faults.length < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await first.drain();
    const second = await start();
    await until(() => done.includes('poison'));
    await second.drain();
  });

  it('does each event where two replicas race for it', async () => {
    const { emit, start, until, done } = system();
    const following = await Promise.all([start(), start()]);
    const ids = Array.from({ length: 20 }, (_, n) => `${n}`);
    for (const id of ids) await emit(ended, { id });
    await until(() => ids.every((id) => done.includes(id)));
    for (const one of following) await one.drain();
    expect(new Set(done).size).toBe(20);
  });
});
