import { type Clock, RecordConflict, type RecordKind, type RecordStore } from '@behalf/ports';
import { z } from 'zod';
import { FakeClock } from './fake-clock.js';

export interface OpenRecordStore {
  store: RecordStore;
  /** The events of committed transactions, published or not, the oldest first. */
  committedEvents(): Promise<{ type: string; data: unknown }[]>;
  close(): Promise<void>;
}

interface Note {
  text: string;
  owner: string;
}
/** What the suite keeps most of. */
const note: RecordKind<Note> = {
  name: 'test-note',
  schema: z.object({ text: z.string(), owner: z.string() }),
  keys: ({ owner, text }) => ({ owner, text }),
};
export { note as testNotes };
const other: RecordKind<Note> = { ...note, name: 'test-other' };
const noted = { type: 'behalf.test.noted', data: z.object({ id: z.string() }) };
const hello = { text: 'hello', owner: 'alice' };

/** What every record store guarantees. */
export function describeRecordStore(name: string, open: (clock: Clock) => Promise<OpenRecordStore>): void {
  describe(`record store: ${name}`, () => {
    let clock: FakeClock;
    let opened: OpenRecordStore;
    let store: RecordStore;
    beforeEach(async () => {
      clock = new FakeClock();
      opened = await open(clock);
      store = opened.store;
    });
    afterEach(() => opened.close());

    const put = (id: string, value: Note = hello, options = {}): Promise<number> =>
      store.transaction((transaction) => transaction.put(note, id, value, options));

    describe('reading and writing', () => {
      it('gives back what was written, with a version that grows by one', async () => {
        expect(await put('a')).toBe(1);
        expect(await put('a', { ...hello, text: 'again' })).toBe(2);
        expect(await store.get(note, 'a')).toEqual({
          id: 'a',
          value: { text: 'again', owner: 'alice' },
          version: 2,
          expiresAtMs: undefined,
        });
      });

      it('writes several at once, over what was there, or none of them', async () => {
        await put('a');
        await put('b', hello, { expiresAtMs: clock.nowMs() + 1000 });
        clock.advanceSeconds(1);
        const writeAll = (texts: Record<string, unknown>, expiresAtMs?: number): Promise<void> =>
          store.transaction((transaction) => {
            const records = Object.entries(texts).map(([id, text]) => ({
              id,
              value: { owner: 'bob', text } as Note,
              expiresAtMs,
            }));
            return transaction.putAll(note, records);
          });
        await writeAll({ a: 'one', b: 'two', c: 'three' }, clock.nowMs() + 5000);
        await expect(writeAll({ a: 'not', d: 4 })).rejects.toThrow();
        await writeAll({});
        const value = (text: string): Note => ({ text, owner: 'bob' });
        const expiresAtMs = clock.nowMs() + 5000;
        expect(await store.list(note, { where: { owner: 'bob' } })).toEqual([
          { id: 'a', value: value('one'), version: 2, expiresAtMs },
          { id: 'b', value: value('two'), version: 1, expiresAtMs },
          { id: 'c', value: value('three'), version: 1, expiresAtMs },
        ]);
      });

      it('keeps kinds apart', async () => {
        await put('a');
        expect(await store.get(other, 'a')).toBeUndefined();
        expect(await store.list(other)).toEqual([]);
      });

      it('checks a value before it is written', async () => {
        await expect(put('a', { text: 1 } as never)).rejects.toThrow();
        expect(await store.get(note, 'a')).toBeUndefined();
      });

      it('checks a value when it is read', async () => {
        await put('a');
        const stricter = { ...note, schema: z.object({ text: z.string(), owner: z.literal('bob') }) };
        await expect(store.get(stricter, 'a')).rejects.toThrow();
      });

      it('deletes a record once', async () => {
        await put('a');
        expect(await store.transaction((transaction) => transaction.delete(note, 'a'))).toBe(true);
        expect(await store.transaction((transaction) => transaction.delete(note, 'a'))).toBe(false);
        expect(await store.get(note, 'a')).toBeUndefined();
      });
    });

    it('finds nothing, without an error, under an id or key that a stranger made up', async () => {
      await put('a');
      for (const text of ['', '\0', 'a\0', '\ud800', 'x'.repeat(10_000), "' or 1=1 --", '%']) {
        expect(await store.get(note, text)).toBeUndefined();
        expect(await store.list(note, { where: { owner: text } })).toEqual([]);
        expect(await store.transaction((transaction) => transaction.delete(note, text))).toBe(false);
      }
    });

    describe('listing', () => {
      it('lists by equal keys, all of them', async () => {
        await put('a', { text: 'x', owner: 'alice' });
        await put('b', { text: 'y', owner: 'alice' });
        await put('c', { text: 'x', owner: 'bob' });
        const ids = async (where: Record<string, string>): Promise<string[]> =>
          (await store.list(note, { where })).map(({ id }) => id);
        expect(await ids({ owner: 'alice' })).toEqual(['a', 'b']);
        expect(await ids({ owner: 'alice', text: 'x' })).toEqual(['a']);
        expect(await ids({ owner: 'carol' })).toEqual([]);
      });

      it('reads several by id at once, and leaves out those that are not there', async () => {
        for (const id of ['a', 'b', 'c']) await put(id);
        const ids = async (wanted: string[]): Promise<string[]> =>
          (await store.list(note, { ids: wanted })).map(({ id }) => id);
        expect(await ids(['c', 'a', 'x', 'nul\0', '\ud800'])).toEqual(['a', 'c']);
        expect(await ids([])).toEqual([]);
        expect(await store.list(note, { ids: ['a', 'b'], where: { owner: 'bob' } })).toEqual([]);
      });

      it('follows a key when the value changes', async () => {
        await put('a', { text: 'x', owner: 'alice' });
        await put('a', { text: 'x', owner: 'bob' });
        expect(await store.list(note, { where: { owner: 'alice' } })).toEqual([]);
        expect(await store.list(note, { where: { owner: 'bob' } })).toHaveLength(1);
      });

      it('pages in code point order', async () => {
        const ids = ['B', 'a', 'é', '\u{ffee}', '\u{1f600}'];
        for (const id of ids.toReversed()) await put(id);
        const pages: string[][] = [];
        for (let afterId: string | undefined; pages.at(-1)?.length !== 0; afterId = pages.at(-1)?.at(-1)) {
          const page = await store.list(note, { limit: 2, ...(afterId !== undefined && { afterId }) });
          pages.push(page.map(({ id }) => id));
        }
        expect(pages.flat()).toEqual(ids);
      });

      it('lists 100 without a limit', async () => {
        await store.transaction(async (transaction) => {
          for (let n = 0; n < 101; n++) await transaction.put(note, `id-${n}`, hello);
        });
        expect(await store.list(note)).toHaveLength(100);
      });
    });

    describe('expiry', () => {
      it('reads an expired record as absent everywhere', async () => {
        await put('a', hello, { expiresAtMs: clock.nowMs() + 1000 });
        expect(await store.get(note, 'a')).toMatchObject({ expiresAtMs: clock.nowMs() + 1000 });
        clock.advanceSeconds(1);
        expect(await store.get(note, 'a')).toBeUndefined();
        expect(await store.list(note)).toEqual([]);
        expect(await store.transaction((transaction) => transaction.delete(note, 'a'))).toBe(false);
      });

      it('lets an expired record be created anew', async () => {
        await put('a', hello, { expiresAtMs: clock.nowMs() + 1000 });
        clock.advanceSeconds(1);
        expect(await put('a', hello, { expectedVersion: 0 })).toBe(1);
      });

      it('takes the expiry of the last write', async () => {
        await put('a', hello, { expiresAtMs: clock.nowMs() + 1000 });
        await put('a', hello);
        clock.advanceSeconds(1);
        expect(await store.get(note, 'a')).toMatchObject({ expiresAtMs: undefined });
      });
    });

    describe('conflicts', () => {
      it('refuses a write on a version that is not there', async () => {
        await put('a', hello, { expectedVersion: 0 });
        for (const expectedVersion of [0, 2]) {
          await expect(put('a', hello, { expectedVersion })).rejects.toThrow(RecordConflict);
        }
        await expect(put('b', hello, { expectedVersion: 1 })).rejects.toThrow(RecordConflict);
        expect(await put('a', hello, { expectedVersion: 1 })).toBe(2);
      });

      it('lets one of 20 concurrent creators win', async () => {
        const outcomes = await Promise.allSettled(
          Array.from({ length: 20 }, (_, n) => put('a', { ...hello, text: `${n}` }, { expectedVersion: 0 })),
        );
        expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const outcome of outcomes) {
          if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RecordConflict);
        }
      });

      it('loses no update of concurrent read-modify-writes', async () => {
        await put('a', { ...hello, text: '0' });
        const increment = async (): Promise<void> => {
          try {
            await store.transaction(async (transaction) => {
              const read = await transaction.get(note, 'a');
              await transaction.put(
                note,
                'a',
                { ...hello, text: `${Number(read?.value.text) + 1}` },
                { expectedVersion: read?.version ?? 0 },
              );
            });
          } catch (error) {
            if (!(error instanceof RecordConflict)) throw error;
            await increment();
          }
        };
        await Promise.all(Array.from({ length: 10 }, increment));
        expect(await store.get(note, 'a')).toMatchObject({ value: { text: '10' } });
      });
    });

    describe('transactions', () => {
      it('leaves nothing behind when the work fails', async () => {
        await put('kept');
        const failing = store.transaction(async (transaction) => {
          await transaction.put(note, 'a', hello);
          await transaction.delete(note, 'kept');
          await transaction.emit(noted, { id: 'a' });
          throw new Error('changed my mind');
        });
        await expect(failing).rejects.toThrow('changed my mind');
        expect(await store.get(note, 'a')).toBeUndefined();
        expect(await store.get(note, 'kept')).toBeDefined();
        expect(await opened.committedEvents()).toEqual([]);
      });

      it('puts events in the outbox when it commits, in order', async () => {
        await store.transaction(async (transaction) => {
          await transaction.put(note, 'a', hello);
          await transaction.emit(noted, { id: 'first' });
          await transaction.emit(noted, { id: 'second' });
        });
        expect(await opened.committedEvents()).toEqual([
          { type: noted.type, data: { id: 'first' } },
          { type: noted.type, data: { id: 'second' } },
        ]);
      });

      it('refuses an event that does not fit its contract', async () => {
        const emitting = store.transaction((transaction) => transaction.emit(noted, { id: 7 } as never));
        await expect(emitting).rejects.toThrow();
        expect(await opened.committedEvents()).toEqual([]);
      });

      it('sees its own writes, also through the store', async () => {
        await store.transaction(async (transaction) => {
          await transaction.put(note, 'a', hello);
          expect(await transaction.get(note, 'a')).toMatchObject({ version: 1 });
          expect(await store.get(note, 'a')).toMatchObject({ version: 1 });
          expect(await store.list(note)).toHaveLength(1);
        });
      });

      it('shows nothing to others before it commits', async () => {
        const { promise: written, resolve: write } = Promise.withResolvers<void>();
        const { promise: held, resolve: release } = Promise.withResolvers<void>();
        const committing = store.transaction(async (transaction) => {
          await transaction.put(note, 'a', hello);
          write();
          await held;
          throw new Error('rolled back');
        });
        await written;
        const reading = store.get(note, 'a');
        release();
        await expect(committing).rejects.toThrow('rolled back');
        expect(await reading).toBeUndefined();
      });

      it('refuses a transaction inside a transaction instead of waiting for ever', async () => {
        const nested = store.transaction(() => store.transaction(async () => {}));
        await expect(nested).rejects.toThrow();
        expect(await put('a')).toBe(1);
      });
    });
  });
}
