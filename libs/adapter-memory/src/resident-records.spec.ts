import { jest } from '@jest/globals';
import type { RecordKind, RecordStore } from '@behalf/ports';
import { FakeClock, describeRecordStore, testNotes } from '@behalf/testing';
import { z } from 'zod';
import { MemoryRecordStore, ResidentRecords } from './index.js';

const kind = (name: string): RecordKind<{ n: number }> => ({ name, schema: z.object({ n: z.number() }) });

describeRecordStore('kept in memory', async (clock) => {
  const inner = new MemoryRecordStore(clock);
  const options = { clock, onError: (error: unknown) => expect(error).toBeUndefined() };
  return {
    store: await ResidentRecords.open(inner, [testNotes as RecordKind<unknown>], options),
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

  it('gives out what nobody can change, as it was found, and as it was read back', async () => {
    const deep = { name: 'deep', schema: z.object({ inner: z.object({ list: z.array(z.number()) }) }) };
    const write = (store: RecordStore, id: string): Promise<number> =>
      store.transaction((transaction) => transaction.put(deep, id, { inner: { list: [1] } }));
    await write(inner, 'a');
    const options = { clock, onError: (error: unknown) => errors.push(error) };
    const store = await ResidentRecords.open(inner, [deep], options);
    await write(store, 'b');
    for (const id of ['a', 'b']) {
      const found = await store.get(deep, id);
      expect(() => found?.value.inner.list.push(2)).toThrow(TypeError);
      expect(() => Object.assign(found ?? {}, { version: 9 })).toThrow(TypeError);
      expect((await store.get(deep, id))?.value).toEqual({ inner: { list: [1] } });
    }
  });

  it('has the store parse what is read by another schema', async () => {
    await put(inner, 'a', 1);
    const store = await open();
    const strict = { ...resident, schema: z.object({ n: z.literal(2) }) };
    expect((await store.get(resident, 'a'))?.value).toEqual({ n: 1 });
    await expect(store.get(strict, 'a')).rejects.toThrow();
    await expect(store.list(strict, { ids: ['a'] })).rejects.toThrow();
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
