import { Deadline, RecordConflict, type RecordKind, systemClock } from '@behalf/ports';
import { type LocalServer, startPostgres } from '@behalf/local-servers';
import { describeWith } from '@behalf/testing';
import { sql } from 'kysely';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { type OpenedPostgres, SqlAuditLog, SqlRecordStore, migrate, openPostgres } from './index.js';
import { versions } from './migrate.js';

const counter: RecordKind<{ n: number }> = { name: 'counter', schema: z.object({ n: z.number() }) };
const unavailable = { code: 'temporarily_unavailable', retryAfterSeconds: 1 };

describeWith('postgres')('openPostgres', () => {
  let server: LocalServer;
  let opened: OpenedPostgres;
  let store: SqlRecordStore;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.close());
  beforeEach(async () => {
    opened = openPostgres(server.url, { name: 'test', maxConnections: 4 });
    store = new SqlRecordStore(opened.db, systemClock);
  });
  afterEach(async () => {
    await sql`drop schema public cascade`.execute(opened.db);
    await sql`create schema public`.execute(opened.db);
    await opened.close();
  });

  /** What a test of the limits looks at. Whatever else it needs is done without them: a disk may be slow. */
  const withImpatient = async (test: (impatient: OpenedPostgres) => Promise<void>): Promise<void> => {
    const impatient = openPostgres(server.url, {
      name: 'impatient',
      maxConnections: 4,
      connectionTimeoutMs: 1_000,
      statementTimeoutMs: 1_000,
    });
    await test(impatient).finally(() => impatient.close());
  };

  const databaseOf = (name: string): string => server.url.replace(/\/postgres$/, `/${name}`);

  it('migrates once when several programs start at the same moment', async () => {
    const programs = Array.from({ length: 4 }, (_, n) => openPostgres(server.url, { name: `program-${n}` }));
    const ran = await Promise.all(programs.map(({ db }) => migrate(db)));
    expect(ran.flat().sort()).toEqual(versions);
    await Promise.all(programs.map((program) => program.close()));
  });

  it.each(versions.slice(0, -1))('migrates a database of version %s with its records', async (version) => {
    await migrate(opened.db, version);
    await sql`insert into records (kind, id, value, version) values ('counter', 'old', '{"n": 7}', 3)`.execute(
      opened.db,
    );
    await migrate(opened.db);
    expect(await store.get(counter, 'old')).toMatchObject({ value: { n: 7 }, version: 3 });
  });

  it('loses no leaf of the audit log that a program of the version before writes meanwhile', async () => {
    await migrate(opened.db, '0004-audit-log');
    const migrating = opened.openForMigration();
    const migrated = await opened.db.transaction().execute(async (writer) => {
      await sql`update audit_head set size = 1`.execute(writer);
      const done = migrate(migrating);
      const isWaiting = sql<{
        waits: boolean;
      }>`select exists (select from pg_locks where not granted) as waits`;
      while (!(await isWaiting.execute(writer)).rows[0]?.waits) await nextTurn();
      await sql`insert into audit_leaves values (0, 'written meanwhile')`.execute(writer);
      return { done };
    });
    await migrated.done;
    await migrating.destroy();
    expect(await new SqlAuditLog(opened.db, { maxWaiting: 1 }).leaves(0, 2)).toEqual(['written meanwhile']);
  });

  it('refuses a database of a newer program', async () => {
    await migrate(opened.db);
    await sql`insert into kysely_migration values ('9999-future', 'now')`.execute(opened.db);
    await expect(migrate(opened.db)).rejects.toThrow('9999-future');
  });

  it('runs a transaction again that lost a race, so that writers of different records all succeed', async () => {
    await migrate(opened.db);
    const patient = openPostgres(server.url, { name: 'test', maxConnections: 4 });
    const racing = new SqlRecordStore(patient.db, systemClock);
    const writes = Array.from({ length: 60 }, (_, n) =>
      racing.transaction(async (transaction) => {
        await transaction.list(counter, { where: { owner: `${n}` } });
        const found = await transaction.get(counter, `${n % 20}`);
        await transaction.put(counter, `${n % 20}`, { n: (found?.value.n ?? 0) + 1 });
      }),
    );
    const outcomes = await Promise.allSettled(writes);
    const lost = outcomes.filter(({ status }) => status === 'rejected').length;
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RecordConflict);
    const counters = await store.list(counter);
    expect(counters.reduce((sum, { value }) => sum + value.n, 0)).toBe(60 - lost);
    await patient.close();
  });

  it('ends a statement that takes too long, and goes on', () =>
    withImpatient(async ({ db }) => {
      // The statement that takes too long, not a wait of the test.
      await expect(sql`select pg_sleep(30)`.execute(db)).rejects.toMatchObject(unavailable);
      await sql`select 1`.execute(db);
    }));

  it('waits for a connection no longer than it may', () =>
    withImpatient(async ({ db }) => {
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      const holders = Array.from({ length: 4 }, () => db.connection().execute(() => held));
      await expect(sql`select 1`.execute(db)).rejects.toMatchObject(unavailable);
      release();
      await Promise.all(holders);
    }));

  it('begins nothing for a request whose time is over, and ends what it has begun as a whole', async () => {
    await migrate(opened.db);
    const late = new Deadline(60_000);
    const written = late.run(() =>
      store.transaction(async (transaction) => {
        await transaction.put(counter, 'one', { n: 1 });
        // Over in the middle: a transaction is done or not done.
        late.extend(-120_000);
        await transaction.put(counter, 'two', { n: 2 });
      }),
    );
    await written;
    const refused = { code: 'temporarily_unavailable', status: 503, retryAfterSeconds: 1 };
    await late.run(async () => {
      await expect(store.get(counter, 'one')).rejects.toMatchObject(refused);
      const put = store.transaction((transaction) => transaction.put(counter, 'three', { n: 3 }));
      await expect(put).rejects.toMatchObject(refused);
    });
    expect(await store.get(counter, 'two')).toMatchObject({ value: { n: 2 } });
    expect(await store.get(counter, 'three')).toBeUndefined();
  });

  it('records for a request whose time is over, and for those whose records share its commit', async () => {
    await migrate(opened.db);
    const log = new SqlAuditLog(opened.db, { maxWaiting: 10 });
    const record = (decisionId: string) => ({
      type: 'decision',
      outcome: 'allowed' as const,
      occurredAtMs: 1,
      decisionId,
    });
    const late = new Deadline(-1).run(() => log.append(record('late')));
    await Promise.all([late, log.append(record('other'))]);
    expect((await log.head()).size).toBe(2);
  });

  it('says so while the server is down, loses no more than what was running, and goes on', async () => {
    await migrate(opened.db);
    await store.transaction((transaction) => transaction.put(counter, 'a', { n: 1 }));
    const running = store.transaction(async (transaction) => {
      await transaction.put(counter, 'a', { n: 2 });
      await server.process.kill();
    });
    await expect(running).rejects.toMatchObject(unavailable);
    await expect(store.get(counter, 'a')).rejects.toMatchObject(unavailable);
    await server.process.start();
    expect(await store.get(counter, 'a')).toMatchObject({ value: { n: 1 } });
  });

  it('does not wait for a server that hangs, nor take its late answer for another', async () => {
    await migrate(opened.db);
    await store.transaction((transaction) => transaction.put(counter, 'a', { n: 1 }));
    await withImpatient(async ({ db }) => {
      await sql`select 1`.execute(db);
      server.process.suspend();
      await expect(sql`select 'late'`.execute(db)).rejects.toMatchObject(unavailable);
      server.process.resume();

      expect(await new SqlRecordStore(db, systemClock).get(counter, 'a')).toMatchObject({ value: { n: 1 } });
    });
  });

  it('takes an answer that was here in time, however late this process gets to it', () =>
    withImpatient(async ({ db }) => {
      await sql`select 1`.execute(db);
      const answer = sql<{ n: number }>`select 7 as n`.execute(db);
      // The question has to be sent before everything here stands still.
      await nextTurn();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
      expect((await answer).rows).toEqual([{ n: 7 }]);
    }));

  it('tells the time of the server', async () => {
    const before = Date.now();
    const time = await opened.timeMs();
    // The same machine, which may set its clock.
    expect(Math.abs(time - before)).toBeLessThan(60_000);
  });

  it('opens no connection before it is used, and tells about its pool', async () => {
    const unused = openPostgres(databaseOf('nowhere'), { name: 'test' });
    expect(unused.pool()).toEqual({ total: 0, idle: 0, waiting: 0 });
    await unused.close();
    await sql`select 1`.execute(opened.db);
    expect(opened.pool()).toEqual({ total: 1, idle: 1, waiting: 0 });
  });
});
