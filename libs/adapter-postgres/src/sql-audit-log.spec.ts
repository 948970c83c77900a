import type { AuditRecord } from '@behalf/audit';
import { FakeClock } from '@behalf/testing';
import { sql } from 'kysely';
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

  it('refuses a record the database cannot hold without losing its neighbours', async () => {
    const outcomes = await Promise.allSettled(
      ['before', 'nul \0', 'after'].map((client) => log.append(record(client))),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await log.latest(2)).map(({ client }) => client)).toEqual(['after', 'before']);
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

  it('cannot be rewritten', async () => {
    await log.append(record('kept'));
    for (const statement of [
      sql`delete from audit_records`,
      sql`update audit_records set type = 'x'`,
      sql`truncate audit_records`,
    ]) {
      await expect(statement.execute(opened.db)).rejects.toThrow();
    }
    expect(await log.latest(1)).toEqual([record('kept')]);
  });
});
