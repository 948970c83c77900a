import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@behalf/ports';
import { z } from 'zod';
import { FolderInUse, SqlRecordStore, migrate, openPglite, sweepExpired } from './index.js';

const note = { name: 'test-note', schema: z.object({ text: z.string() }) };

describe('openPglite', () => {
  let parent: string;
  let folder: string;
  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'behalf-pglite-'));
    folder = join(parent, 'not-yet-there', 'pg');
  });
  afterEach(() => rm(parent, { recursive: true }));

  it('keeps the data, migrates once, lets nobody else in meanwhile, and leaves no lock', async () => {
    const first = await openPglite(folder);
    await expect(openPglite(folder)).rejects.toThrow(FolderInUse);
    expect(await migrate(first.db)).not.toEqual([]);
    await new SqlRecordStore(first.db, systemClock).transaction((transaction) =>
      transaction.put(note, 'a', { text: 'kept' }),
    );
    await first.close();
    expect(await readdir(join(folder, '..'))).toEqual(['pg']);

    const second = await openPglite(folder);
    expect(await migrate(second.db)).toEqual([]);
    expect(await new SqlRecordStore(second.db, systemClock).get(note, 'a')).toMatchObject({
      value: { text: 'kept' },
    });
    await second.close();
    // Making a database takes seconds on a busy machine.
  }, 120_000);

  it('sweeps away what has expired and nothing else', async () => {
    const opened = await openPglite('memory://');
    const { db } = opened;
    await migrate(db);
    await new SqlRecordStore(db, { nowMs: () => 0 }).transaction(async (transaction) => {
      await transaction.put(note, 'lives', { text: '' }, { expiresAtMs: 1001 });
      await transaction.put(note, 'for ever', { text: '' });
      await transaction.put(note, 'expired', { text: '' }, { expiresAtMs: 1000 });
    });
    expect(await sweepExpired(db, { nowMs: 1000, keepPublishedMs: 0 })).toEqual({ records: 1, events: 0 });
    expect(await db.selectFrom('records').select('id').orderBy('id').execute()).toEqual([
      { id: 'for ever' },
      { id: 'lives' },
    ]);
    await opened.close();
  });
});
