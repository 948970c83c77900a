import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditRecord, TreeEdge, hashLeaf } from '@behalf/audit';
import { canonicalJson } from '@behalf/i-json';
import { systemClock } from '@behalf/ports';
import { SmallDisk, itOnSmallDisk } from '@behalf/testing';
import { sql } from 'kysely';
import { z } from 'zod';
import { FolderInUse, SqlAuditLog, SqlRecordStore, migrate, openPglite, sweepExpired } from './index.js';

const record: AuditRecord = { type: 'exchange', outcome: 'allowed', occurredAtMs: 1, client: 'a' };
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

  itOnSmallDisk()(
    'refuses what it cannot keep on a full disk, goes on when there is space, and has lost nothing',
    async () => {
      const disk = SmallDisk.mount(folder, 96);
      try {
        const data = join(folder, 'pg');
        const first = await openPglite(data);
        await migrate(first.db);
        const store = new SqlRecordStore(first.db, systemClock);
        const kept: string[] = [];
        const put = async (id: string): Promise<boolean> => {
          const text = 'x'.repeat(4_000);
          const done = await store
            .transaction((transaction) => transaction.put(note, id, { text }))
            .then(
              () => true,
              () => false,
            );
          if (done) kept.push(id);
          return done;
        };
        expect(await put('before')).toBe(true);
        disk.fill();
        let attempts = 0;
        while (await put(`full-${attempts}`)) expect(attempts++).toBeLessThan(10_000);
        expect(await store.get(note, 'before')).toBeDefined();
        disk.giveSpace();
        expect(await put('after')).toBe(true);
        await first.close();
        const second = await openPglite(data);
        const found = await second.db.selectFrom('records').select('id').execute();
        expect(found.map(({ id }) => id).sort()).toEqual(kept.sort());
        await second.close();
      } finally {
        disk.unmount();
      }
    },
    120_000,
  );

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

  it('takes the audit records of an earlier version into the log, in their order', async () => {
    const opened = await openPglite('memory://');
    await migrate(opened.db, '0003-audit-records');
    const count = 1001;
    await sql`
      insert into audit_records (type, outcome, occurred_at_ms, record)
      select 'exchange', 'allowed', n,
        jsonb_build_object('type', 'exchange', 'outcome', 'allowed', 'occurredAtMs', n, 'client', 'a')
      from generate_series(1, ${count}::int) n`.execute(opened.db);
    await migrate(opened.db);
    const log = new SqlAuditLog(opened.db, { maxWaiting: 10 });
    await log.append({ type: 'exchange', outcome: 'refused', occurredAtMs: count + 1 });
    const leaves = await log.leaves(0, 2000);
    const times = leaves.map((leaf) => (JSON.parse(leaf) as { occurredAtMs: number }).occurredAtMs);
    await log.idle();
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(await log.latest(2000)).toHaveLength(count + 1);
    await opened.close();
  }, 60_000);

  it('keeps the leaves of an earlier version in their places, and goes on after them', async () => {
    const opened = await openPglite('memory://');
    const { db } = opened;
    await migrate(db, '0004-audit-log');
    const leaves = Array.from({ length: 600 }, (_, n) => canonicalJson({ ...record, occurredAtMs: n }));
    const edge = TreeEdge.empty.append(leaves.map((leaf) => hashLeaf(leaf)));
    await sql`
      insert into audit_leaves (leaf_index, leaf)
      select nth - 1, leaf from jsonb_array_elements_text(${JSON.stringify(leaves)}::jsonb)
        with ordinality as given(leaf, nth) order by nth desc`.execute(db);
    const peaks = JSON.stringify(edge.peaks.map((peak) => Buffer.from(peak).toString('base64')));
    await sql`update audit_head set size = ${leaves.length}::int, edge = ${peaks}::jsonb`.execute(db);
    await db
      .insertInto('audit_waiting')
      .values({ leaf: canonicalJson({ ...record, client: 'waited' }) })
      .execute();

    await migrate(db);
    const log = new SqlAuditLog(db, { maxWaiting: 10 });
    expect(await log.leaves(0, 1000)).toEqual(leaves);
    expect(await log.leaves(255, 2)).toEqual(leaves.slice(255, 257));
    expect(await log.head()).toEqual({ size: edge.size, root: edge.root });
    await log.append({ ...record, client: 'new' });
    const all = await log.leaves(0, 1000);
    expect(all.slice(600).map((leaf) => (JSON.parse(leaf) as { client: string }).client)).toEqual([
      'waited',
      'new',
    ]);
    expect((await log.head()).root).toEqual(TreeEdge.empty.append(all.map((leaf) => hashLeaf(leaf))).root);
    await opened.close();
  }, 60_000);
});
