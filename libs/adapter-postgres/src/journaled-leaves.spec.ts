import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuditJournal } from './audit-journal.js';
import { JournaledLeaves, type PlacedLeaves } from './journaled-leaves.js';

/** A log whose commits the test lets happen. */
class HeldLog implements PlacedLeaves {
  readonly asked: string[] = [];
  readonly placed: string[] = [];
  held: Promise<void> | undefined;
  failure: Error | undefined;

  async append(leaf: string): Promise<number> {
    this.asked.push(leaf);
    await this.held;
    if (this.failure) throw this.failure;
    return this.placed.push(leaf) - 1;
  }
  async appendAll(leaves: readonly string[]): Promise<number> {
    for (const leaf of leaves) await this.append(leaf);
    return this.placed.length - 1;
  }
  async leaves(from: number, limit: number): Promise<readonly string[]> {
    return this.placed.slice(from, from + limit);
  }
  async size(): Promise<number> {
    return this.placed.length;
  }
}

describe('leaves that are durable before they have a place', () => {
  let folder: string;
  let path: string;
  let log: HeldLog;
  let errors: unknown[];
  let programs = 0;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-journaled-'));
    path = join(folder, 'audit.journal');
    log = new HeldLog();
    errors = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  const start = async (): Promise<{ leaves: JournaledLeaves; journal: AuditJournal }> => {
    const program = programs;
    const journal = await AuditJournal.open(path);
    const mine: PlacedLeaves = {
      append: (leaf) => (program === programs ? log.append(leaf) : new Promise(() => {})),
      appendAll: (leaves) => (program === programs ? log.appendAll(leaves) : new Promise(() => {})),
      leaves: (from, limit) => log.leaves(from, limit),
      size: () => log.size(),
    };
    const leaves = new JournaledLeaves(journal, mine, { onError: (error) => errors.push(error) });
    await leaves.start();
    return { leaves, journal };
  };
  /** What was started so far does nothing more, and its journal is what the next program finds. */
  const kill = async (): Promise<void> => {
    programs += 1;
    const left = await readFile(path);
    await rm(path);
    await writeFile(path, left);
  };

  it('are durable while the database does not answer, and get their places in the order of the calls', async () => {
    const { leaves } = await start();
    const held = Promise.withResolvers<void>();
    log.held = held.promise;
    for (const leaf of ['a', 'b', 'c']) await leaves.append(leaf);
    expect(log.placed).toEqual([]);
    const settled = leaves.settled();
    held.resolve();
    await settled;
    expect(log.placed).toEqual(['a', 'b', 'c']);
    await leaves.close();
  });

  it('are found by whoever reads after they were durable', async () => {
    const { leaves } = await start();
    await Promise.all(Array.from({ length: 1_200 }, (_, n) => leaves.append(`leaf ${n}`)));
    await leaves.settled();
    expect(log.placed).toEqual(Array.from({ length: 1_200 }, (_, n) => `leaf ${n}`));
    await leaves.close();
  });

  it('get their places at the next start when the program was killed, those that had one none again', async () => {
    log.placed.push('before', 'same');
    const { leaves } = await start();
    for (const leaf of ['same', 'a', 'same', 'b', 'same']) await leaves.append(leaf);
    // Two of them, and a record of another way, got places before the end, which the journal was not told of.
    log.placed.push('same', 'another', 'a');
    await kill();
    const next = await start();
    expect(log.placed).toEqual(['before', 'same', 'same', 'another', 'a', 'same', 'b', 'same']);
    expect(next.journal.leaves).toEqual([]);
    await next.leaves.append('later');
    await next.leaves.settled();
    expect(log.placed.at(-1)).toBe('later');
    await next.leaves.close();
  });

  it('are placed once when a commit was made that gave no answer', async () => {
    const { leaves } = await start();
    await leaves.append('a');
    const append = log.append.bind(log);
    log.append = async (leaf) => {
      await append(leaf);
      throw new Error('no answer');
    };
    await expect(leaves.settled()).rejects.toThrow('no answer');
    log.append = append;
    await leaves.settled();
    expect(log.placed).toEqual(['a']);
    await leaves.close();
  });

  it('wait for their places while none can be given, so that whoever appends hears of it', async () => {
    const { leaves } = await start();
    log.failure = new Error('no database');
    await leaves.append('durable');
    await expect(leaves.settled()).rejects.toThrow('no database');
    expect(errors).toEqual([log.failure]);
    await expect(leaves.append('refused')).rejects.toThrow('no database');
    log.failure = undefined;
    await leaves.append('placed');
    await leaves.settled();
    expect(log.placed).toEqual(['placed', 'durable']);
    const held = Promise.withResolvers<void>();
    log.held = held.promise;
    await leaves.append('durable again');
    held.resolve();
    await leaves.close();
  });

  it('wait for their places when the journal cannot be written', async () => {
    const { leaves, journal } = await start();
    journal.write = () => Promise.reject(new Error('no space'));
    await leaves.append('a');
    expect(log.placed).toEqual(['a']);
    expect(errors).toEqual([new Error('no space')]);
    await leaves.close();
  });

  it('wait for their places when too many do, which slows down who appends', async () => {
    const { leaves } = await start();
    const held = Promise.withResolvers<void>();
    log.held = held.promise;
    await Promise.all(Array.from({ length: 10_000 }, (_, n) => leaves.append(`leaf ${n}`)));
    const one = leaves.append('one more');
    expect(log.asked).toContain('one more');
    held.resolve();
    await one;
    await leaves.close();
    expect(log.placed).toHaveLength(10_001);
  });

  it('keep until the next start when they cannot be placed before the end', async () => {
    const { leaves } = await start();
    log.failure = new Error('no database');
    await leaves.append('a');
    await leaves.close();
    log.failure = undefined;
    const next = await start();
    expect(log.placed).toEqual(['a']);
    await next.leaves.close();
  });
});
