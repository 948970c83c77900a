import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AuditRecord, TreeEdge, hashLeaf } from '@behalf/audit';
import { canonicalJson } from '@behalf/i-json';
import { FakeClock } from '@behalf/testing';
import { sql } from 'kysely';
import { z } from 'zod';
import { readEdge } from './audit-leaves.js';
import { type OpenedDatabase, SqlAuditLog, SqlRecordStore, migrate, openPglite } from './index.js';

const record = (client: string): AuditRecord => ({
  type: 'exchange',
  outcome: 'allowed',
  occurredAtMs: 1,
  client,
  actors: ['agent'],
  details: { reason: 'permitted' },
});

describe('SqlAuditLog', () => {
  let opened: OpenedDatabase;
  let log: SqlAuditLog;
  beforeAll(async () => {
    opened = await openPglite('memory://');
    await migrate(opened.db);
  });
  afterAll(() => opened.close());
  beforeEach(() => {
    log = new SqlAuditLog(opened.db, { maxWaiting: 1000 });
  });

  it('gives back whole records, the newest first', async () => {
    await log.append(record('one'));
    await log.append(record('two'));
    expect(await log.latest(2)).toEqual([record('two'), record('one')]);
  });

  it('keeps every one of many concurrent records, in the order of the calls', async () => {
    const clients = Array.from({ length: 600 }, (_, n) => `many-${n}`);
    await Promise.all(clients.map((client) => log.append(record(client))));
    expect((await log.latest(600)).map(({ client }) => client)).toEqual(clients.toReversed());
  });

  it('refuses what the queue has no room for, and nothing else', async () => {
    const small = new SqlAuditLog(opened.db, { maxWaiting: 2 });
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((client) => small.append(record(client))));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(outcomes[2]).toMatchObject({ reason: { code: 'temporarily_unavailable' } });
    await small.append(record('room again'));
    expect(await log.latest(3)).toEqual([record('room again'), record('b'), record('a')]);
  });

  it('keeps whatever JSON can say, and refuses the rest without losing its neighbours', async () => {
    const outcomes = await Promise.allSettled(
      ['nul \0', 'lone \ud800', 'after'].map((client) => log.append(record(client))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await log.latest(2)).map(({ client }) => client)).toEqual(['after', 'nul \0']);
  });

  it('is part of a record transaction it is called in', async () => {
    const store = new SqlRecordStore(opened.db, new FakeClock());
    await store.transaction(() => log.append(record('committed')));
    const failing = store.transaction(async () => {
      await log.append(record('rolled back'));
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await log.latest(1)).toEqual([record('committed')]);
  });

  const placed = (): Promise<string[]> => log.leaves(0, 10_000);
  /** The head and the tiles are what the leaves make. */
  const checkTree = async (): Promise<void> => {
    const hashes = (await placed()).map((leaf) => hashLeaf(leaf));
    const whole = TreeEdge.empty.append(hashes);
    expect(await readEdge(opened.db)).toEqual(whole);
    expect(await log.head()).toEqual({ size: whole.size, root: whole.root });
    const tiles = await opened.db.selectFrom('audit_tiles').select('root').orderBy('tile_index').execute();
    const full = Array.from({ length: Math.floor(hashes.length / 256) }, (_, tile) =>
      Buffer.from(TreeEdge.empty.append(hashes.slice(tile * 256, tile * 256 + 256)).root).toString('base64'),
    );
    expect(tiles.map(({ root }) => root)).toEqual(full);
  };

  it('is a Merkle tree of its records, over the bounds of tiles, also when several append', async () => {
    const other = new SqlAuditLog(opened.db, { maxWaiting: 1000 });
    for (let round = 0; round < 4; round++) {
      await Promise.all(
        Array.from({ length: 90 }, (_, n) => (n % 2 ? log : other).append(record(`tree-${round}-${n}`))),
      );
    }
    await checkTree();
    expect((await placed()).length).toBeGreaterThan(512);
  });

  it('gives any stretch of its leaves, whichever commits they came with', async () => {
    const { size } = await log.head();
    for (const [round, count] of [1, 3, 1, 5].entries())
      await Promise.all(Array.from({ length: count }, (_, n) => log.append(record(`stretch-${round}-${n}`))));
    const all = await placed();
    const added = ['0-0', '1-0', '1-1', '1-2', '2-0', '3-0', '3-1', '3-2', '3-3', '3-4'];
    expect(all.slice(size)).toEqual(added.map((name) => canonicalJson(record(`stretch-${name}`))));
    for (let from = size - 1; from <= size + 11; from++) {
      for (let limit = 0; limit <= 11; limit++)
        expect(await log.leaves(from, limit)).toEqual(all.slice(from, from + limit));
    }
    for (let limit = 0; limit <= 11; limit++)
      expect((await log.latest(limit)).map((one) => canonicalJson(one))).toEqual(
        all.slice(all.length - limit).toReversed(),
      );
  });

  it('gives the records of transactions their place, those of an earlier process too', async () => {
    const store = new SqlRecordStore(opened.db, new FakeClock());
    await store.transaction(() => log.append(record('with a change')));
    await log.idle();
    expect((await placed()).at(-1)).toContain('with a change');
    await opened.db
      .insertInto('audit_waiting')
      .values({ leaf: canonicalJson(record('left behind')) })
      .execute();
    await new SqlAuditLog(opened.db, { maxWaiting: 10 }).place();
    expect((await placed()).at(-1)).toContain('behind');
    expect(await opened.db.selectFrom('audit_waiting').selectAll().execute()).toEqual([]);
    await checkTree();
  });

  it('goes on after it was asked to place what somebody else had placed already', async () => {
    const store = new SqlRecordStore(opened.db, new FakeClock());
    await store.transaction(() => log.append(record('in a transaction')));
    await log.append(record('places both'));
    await log.idle();
    await log.append(record('afterwards'));
    expect((await log.latest(1)).map(({ client }) => client)).toEqual(['afterwards']);
  });

  it('refuses what cannot be written, and goes on when it can be again', async () => {
    await sql`alter table audit_batches rename to away`.execute(opened.db);
    const outcomes = await Promise.allSettled(['a', 'b'].map((client) => log.append(record(client))));
    await sql`alter table away rename to audit_batches`.execute(opened.db);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await log.append(record('again'));
    expect((await placed()).at(-1)).toContain('again');
    await checkTree();
  });

  it('lets what may go on without a record go on, and nothing else', async () => {
    const unrecorded: AuditRecord[] = [];
    const lenient = new SqlAuditLog(opened.db, {
      maxWaiting: 10,
      mayGoUnrecorded: ({ type }) => type === 'decision',
      onUnrecorded: (lost) => void unrecorded.push(lost),
    });
    const decision = { ...record('a'), type: 'decision' };
    const store = new SqlRecordStore(opened.db, new FakeClock());
    await sql`alter table audit_batches rename to away`.execute(opened.db);
    const outcomes = await Promise.allSettled([lenient.append(decision), lenient.append(record('b'))]);
    await sql`alter table away rename to audit_batches`.execute(opened.db);
    await sql`alter table audit_waiting rename to away`.execute(opened.db);
    const withChange = await Promise.allSettled([store.transaction(() => lenient.append(decision))]);
    await sql`alter table away rename to audit_waiting`.execute(opened.db);
    await lenient.append(decision);
    expect([...outcomes, ...withChange].map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect(unrecorded).toEqual([decision]);
  });

  it('makes no change whose record could not be written, also when nobody minds', async () => {
    const store = new SqlRecordStore(opened.db, new FakeClock());
    const kind = { name: 'note', schema: z.object({ text: z.string() }) };
    await sql`alter table audit_waiting rename to away`.execute(opened.db);
    const change = store.transaction(async (transaction) => {
      await transaction.put(kind, 'a', { text: 'changed' });
      await log.append(record('with the change')).catch(() => {});
    });
    await expect(change).rejects.toThrow();
    await sql`alter table away rename to audit_waiting`.execute(opened.db);
    expect(await store.get(kind, 'a')).toBeUndefined();
  });

  describe('with a journal', () => {
    let folder: string;
    let journaled: SqlAuditLog;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'behalf-audit-'));
      journaled = await SqlAuditLog.openJournaled(opened.db, join(folder, 'audit.journal'), {
        maxWaiting: 10,
      });
    });
    afterEach(async () => {
      await journaled.close();
      await rm(folder, { recursive: true });
    });

    it.each([
      ['the newest records', async () => (await journaled.latest(1))[0]?.client],
      ['its head', async () => `journaled-${(await journaled.head()).size}`],
      [
        'its leaves',
        async () => (JSON.parse((await journaled.leaves(0, 10_000)).at(-1)!) as AuditRecord).client,
      ],
    ])('shows whoever was told that a record is durable %s with it', async (_, read) => {
      const client = `journaled-${(await log.head()).size + 1}`;
      await journaled.append(record(client));
      expect(await log.latest(1)).not.toEqual([record(client)]);
      expect(await read()).toBe(client);
    });

    it('says the place, to whoever asks for it, before it answers', async () => {
      const { size } = await log.head();
      const places: unknown[] = [];
      await journaled.append(record('placed'), (place) => places.push(place));
      const leafHash = hashLeaf(canonicalJson(record('placed'))).toString('base64url');
      expect(places).toEqual([{ index: size, leafHash }]);
    });

    it('keeps nobody in a transaction waiting for a place that comes after its end', async () => {
      const store = new SqlRecordStore(opened.db, new FakeClock());
      await store.transaction(async () => {
        await journaled.append(record('with the change'));
        expect(await journaled.latest(1)).toEqual([record('with the change')]);
      });
    });
  });

  it('cannot be rewritten', async () => {
    await log.append(record('kept'));
    for (const statement of [
      sql`delete from audit_batches`,
      sql`update audit_batches set leaves = 'x'`,
      sql`truncate audit_batches`,
      sql`delete from audit_tiles`,
    ]) {
      await expect(statement.execute(opened.db)).rejects.toThrow();
    }
    expect(await log.latest(1)).toEqual([record('kept')]);
  });
});
