import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SmallDisk, itOnSmallDisk } from '@behalf/testing';
import { AuditJournal } from './audit-journal.js';

describe('the journal of the audit log', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-journal-'));
    path = join(folder, 'audit.journal');
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** What a program would find that was started after this one was killed. */
  const left = async (bytes?: Uint8Array) => {
    const copy = join(folder, 'copy');
    await writeFile(copy, bytes ?? (await readFile(path)));
    const errors: unknown[] = [];
    const journal = await AuditJournal.open(copy, { onError: (error) => errors.push(error) });
    const found = { leaves: [...journal.leaves], firstPlace: journal.firstPlace, errors: errors.length };
    await journal.close();
    return found;
  };

  it('holds what was written, in the order of the calls, and nothing that was forgotten in time', async () => {
    const journal = await AuditJournal.open(path);
    await journal.begin(7);
    const leaves = Array.from({ length: 50 }, (_, n) => `{"n":${n},"text":"äö"}`);
    await Promise.all(leaves.map((leaf) => journal.write(leaf)));
    expect(await left()).toEqual({ leaves, firstPlace: 7, errors: 0 });
    journal.forget(20, 27);
    expect(journal.leaves).toEqual(leaves.slice(20));
    await journal.close();
    expect(await left()).toMatchObject({ leaves });
  });

  it('leaves no file when nothing waits, and nobody else may read it while something does', async () => {
    const journal = await AuditJournal.open(path);
    await journal.write('{}');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    journal.forget(1, 1);
    await journal.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('holds every whole line of a file that was cut short at any byte, and says nothing of it', async () => {
    const journal = await AuditJournal.open(path);
    const leaves = ['{"a":1}', '{"b":"ü"}', '{"c":3}'];
    for (const leaf of leaves) await journal.write(leaf);
    const whole = await readFile(path);
    const ends = leaves.map((leaf) => whole.indexOf(`${leaf}\n`) + Buffer.byteLength(leaf));
    for (let bytes = 0; bytes <= whole.length; bytes++) {
      const found = await left(whole.subarray(0, bytes));
      expect(found.leaves).toEqual(leaves.filter((_, n) => bytes > ends[n]!));
      expect(found.errors).toBe(0);
    }
    await journal.close();
  });

  it('does not take a line that is not as it was written, tells of it, and keeps the file aside', async () => {
    const journal = await AuditJournal.open(path);
    await journal.begin(3);
    for (const leaf of ['{"a":1}', '{"b":2}', '{"c":3}']) await journal.write(leaf);
    const damaged = await readFile(path);
    damaged[damaged.indexOf('"b"') + 1]! ^= 1;
    expect(await left(damaged)).toEqual({ leaves: ['{"a":1}', '{"c":3}'], firstPlace: 3, errors: 1 });
    expect(await readFile(join(folder, 'copy.unreadable'))).toEqual(damaged);
    // Without its first line, the leaves may be anywhere in the log.
    const headless = await readFile(path);
    headless[12]! ^= 1;
    expect(await left(headless)).toMatchObject({ firstPlace: 0, errors: 1 });
    await journal.close();
  });

  it('grows no longer than what is kept in it, and holds that at any time', async () => {
    const journal = await AuditJournal.open(path, { rewriteFromBytes: 1_000 });
    const leaf = (n: number): string => JSON.stringify({ n, text: 'x'.repeat(80) });
    for (let n = 0; n < 200; n++) {
      await journal.write(leaf(n));
      if (n > 2) journal.forget(1, n);
      const found = await left();
      expect(found.leaves.slice(-3)).toEqual([n - 2, n - 1, n].filter((m) => m >= 0).map(leaf));
      expect((await stat(path)).size).toBeLessThan(2_000);
    }
    await journal.close();
  });

  itOnSmallDisk()('refuses what the disk has no room for, and nothing before and after it', async () => {
    const disk = SmallDisk.mount(join(folder, 'disk'), 1);
    try {
      path = join(folder, 'disk/audit.journal');
      const journal = await AuditJournal.open(path);
      await journal.write('{"a":1}');
      disk.fill();
      const refused = ['{"refused":true}', JSON.stringify('x'.repeat(100_000))];
      const outcomes = await Promise.allSettled(refused.map((leaf) => journal.write(leaf)));
      expect(outcomes).toMatchObject(refused.map(() => ({ status: 'rejected', reason: { code: 'ENOSPC' } })));
      disk.giveSpace();
      await journal.write('{"b":2}');
      expect(await left()).toMatchObject({ leaves: ['{"a":1}', '{"b":2}'], errors: 0 });
      await journal.close();
    } finally {
      disk.unmount();
    }
  });
});
