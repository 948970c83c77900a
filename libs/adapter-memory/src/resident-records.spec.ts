import { jest } from '@jest/globals';
import type { RecordKind, RecordStore } from '@behalf/ports';
import { FakeClock, describeRecordStore } from '@behalf/testing';
import { z } from 'zod';
import { MemoryRecordStore, ResidentRecords } from './index.js';

const kind = (name: string): RecordKind<{ n: number }> => ({ name, schema: z.object({ n: z.number() }) });
// The names that the suite uses: with these in memory it asks nothing else.
const note = { ...kind('test-note'), schema: z.object({ text: z.string(), owner: z.string() }) };

describeRecordStore('kept in memory', async (clock) => {
  const inner = new MemoryRecordStore(clock);
  const options = { clock, onError: (error: unknown) => expect(error).toBeUndefined() };
  return {
    store: await ResidentRecords.open(inner, [note as RecordKind<unknown>], options),
    committedEvents: async () => inner.outbox.map(({ type, data }) => ({ type, data })),
    close: async () => {},
  };
});

describe('ResidentRecords', () => {
  const clock = new FakeClock();
  const resident = kind('resident');
  let inner: MemoryRecordStore;
  let errors: unknown[];
  const open = (): Promise<ResidentRecords> =>
    ResidentRecords.open(inner, [resident as RecordKind<unknown>], {
      clock,
      onError: (error) => errors.push(error),
    });
  const put = (store: RecordStore, id: string, n: number): Promise<number> =>
    store.transaction((transaction) => transaction.put(resident, id, { n }));
  beforeEach(() => {
    inner = new MemoryRecordStore(clock);
    errors = [];
  });

  it('asks the store for nothing that it keeps, found or not, and for everything else', async () => {
    for (let n = 0; n < 501; n++) await put(inner, `id-${n}`, n);
    const store = await open();
    const asked = [jest.spyOn(inner, 'get'), jest.spyOn(inner, 'list')];
    expect((await store.get(resident, 'id-500'))?.value).toEqual({ n: 500 });
    expect(await store.get(resident, 'nobody')).toBeUndefined();
    const found = await store.list(resident, { ids: ['id-2', 'nobody', 'id-1', 'id-2'], limit: 10 });
    expect(found.map(({ id }) => id)).toEqual(['id-1', 'id-2']);
    for (const spy of asked) expect(spy).not.toHaveBeenCalled();
    expect(await store.list(resident)).toHaveLength(100);
    expect(await store.get(kind('other'), 'id-1')).toBeUndefined();
    for (const spy of asked) expect(spy).toHaveBeenCalledTimes(1);
  });

  it('gives out copies', async () => {
    await put(inner, 'a', 1);
    const store = await open();
    Object.assign((await store.get(resident, 'a'))?.value ?? {}, { n: 2 });
    expect((await store.get(resident, 'a'))?.value).toEqual({ n: 1 });
  });

  it('believes the store when it is not known whether a change was made', async () => {
    const store = await open();
    const commit = inner.transaction.bind(inner);
    inner.transaction = async (work) => {
      await commit(work);
      throw new Error('no answer to the commit');
    };
    await expect(put(store, 'a', 1)).rejects.toThrow('no answer');
    expect((await store.get(resident, 'a'))?.value).toEqual({ n: 1 });
  });

  it('ends with the last of many changes at once', async () => {
    const store = await open();
    await Promise.all(Array.from({ length: 20 }, (_, n) => put(store, 'a', n)));
    expect(await store.get(resident, 'a')).toEqual(await inner.get(resident, 'a'));
  });

  it('asks the store from then on when a change could not be read back', async () => {
    await put(inner, 'a', 1);
    const store = await open();
    const list = jest.spyOn(inner, 'list').mockRejectedValueOnce(new Error('gone'));
    await put(store, 'a', 2);
    expect(errors).toHaveLength(1);
    expect((await store.get(resident, 'a'))?.value).toEqual({ n: 2 });
    list.mockRestore();
  });
});
