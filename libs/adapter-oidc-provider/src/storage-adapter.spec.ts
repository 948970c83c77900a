import { MemoryRecordStore } from '@behalf/adapter-memory';
import { migrate, openPglite, SqlRecordStore } from '@behalf/adapter-postgres';
import type { RecordStore } from '@behalf/ports';
import { FakeClock } from '@behalf/testing';
import { errors } from 'oidc-provider';
import { listRevocationsAfter } from './revocation-records.js';
import { StorageAdapter } from './storage-adapter.js';

const refreshGraceSeconds = 10;
const unusedClientSeconds = 1000;

const stores = {
  memory: async (clock: FakeClock) => ({ records: new MemoryRecordStore(clock), close: async () => {} }),
  PGlite: async (clock: FakeClock) => {
    const database = await openPglite('memory://');
    await migrate(database.db);
    return { records: new SqlRecordStore(database.db, clock), close: () => database.close() };
  },
};

describe.each(Object.entries(stores))('StorageAdapter on %s', (_name, open) => {
  let clock: FakeClock;
  let records: RecordStore;
  let close: () => Promise<void>;
  const adapterOf = (model: string): StorageAdapter =>
    new StorageAdapter(model, {
      records,
      clock,
      refreshGraceSeconds,
      revocationLifetimeSeconds: 900,
      unusedClientSeconds,
      recordRegistration: async () => {},
    });
  // One store per suite: starting PGlite takes most of a second. Ids keep the tests apart.
  let run = 0;
  let g: string;
  let h: string;
  let id: string;
  beforeAll(async () => {
    clock = new FakeClock();
    ({ records, close } = await open(clock));
  });
  afterAll(() => close());
  beforeEach(() => {
    run++;
    [g, h, id] = [`grant-${run}`, `other-grant-${run}`, `artifact-${run}`];
  });

  it('gives back what it was given, until its time is over', async () => {
    const codes = adapterOf('AuthorizationCode');
    await codes.upsert(id, { accountId: 'alice', grantId: g, jti: id }, 60);
    expect(await codes.find(id)).toEqual({ accountId: 'alice', grantId: g, jti: id });
    clock.advanceSeconds(61);
    expect(await codes.find(id)).toBeUndefined();
  });

  it('forgets a client that nobody uses, and keeps one that is used', async () => {
    const clients = adapterOf('Client');
    await clients.upsert(id, { client_id: id });
    for (let day = 0; day < 5; day++) {
      clock.advanceSeconds(0.8 * unusedClientSeconds);
      expect(await clients.find(id)).toMatchObject({ client_id: id });
    }
    clock.advanceSeconds(unusedClientSeconds + 1);
    expect(await clients.find(id)).toBeUndefined();
  });

  it('keeps models apart', async () => {
    await adapterOf('AuthorizationCode').upsert(id, { grantId: g }, 60);
    expect(await adapterOf('RefreshToken').find(id)).toBeUndefined();
  });

  it('lets one of many consume a code, and ends the grant for the others', async () => {
    const codes = adapterOf('AuthorizationCode');
    await adapterOf('Grant').upsert(g, { accountId: 'alice' }, 60);
    await codes.upsert(id, { grantId: g }, 60);
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => codes.consume(id)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(errors.InvalidGrant);
    }
    expect(await adapterOf('Grant').find(g)).toBeUndefined();
    expect((await listRevocationsAfter(records, undefined, 0)).revocations).toContainEqual(
      expect.objectContaining({ kind: 'grant', id: g }),
    );
  });

  it('hides that a refresh token was used during its grace, a bounded number of times', async () => {
    const tokens = adapterOf('RefreshToken');
    await tokens.upsert(id, { grantId: g }, 3600);
    for (let use = 0; use < 6; use++) {
      expect(await tokens.find(id)).not.toHaveProperty('consumed');
      await tokens.consume(id);
    }
    expect(await tokens.find(id)).toHaveProperty('consumed');
    await expect(tokens.consume(id)).rejects.toBeInstanceOf(errors.InvalidGrant);
  });

  it('shows it afterwards', async () => {
    const tokens = adapterOf('RefreshToken');
    await tokens.upsert(id, { grantId: g }, 3600);
    await tokens.consume(id);
    clock.advanceSeconds(refreshGraceSeconds);
    expect(await tokens.find(id)).toHaveProperty('consumed');
  });

  it('a code has no grace', async () => {
    const codes = adapterOf('AuthorizationCode');
    await codes.upsert(id, { grantId: g }, 60);
    await codes.consume(id);
    expect(await codes.find(id)).toHaveProperty('consumed');
  });

  it('ends a grant with all that was issued under it, and writes the revocation', async () => {
    await adapterOf('Grant').upsert(g, { accountId: 'alice' }, 60);
    for (const model of ['AuthorizationCode', 'RefreshToken', 'AccessToken']) {
      await adapterOf(model).upsert(id, { grantId: g }, 60);
      await adapterOf(model).upsert(`${id}-other`, { grantId: h }, 60);
    }
    await adapterOf('Grant').destroy(g);
    for (const model of ['AuthorizationCode', 'RefreshToken', 'AccessToken']) {
      expect(await adapterOf(model).find(id)).toBeUndefined();
      expect(await adapterOf(model).find(`${id}-other`)).toBeDefined();
    }
    expect((await listRevocationsAfter(records, undefined, 0)).revocations).toContainEqual(
      expect.objectContaining({ kind: 'grant', id: g }),
    );
  });

  it('finds a session by its uid', async () => {
    const sessions = adapterOf('Session');
    await sessions.upsert('cookie', { uid: id, accountId: 'alice' }, 60);
    expect(await sessions.findByUid(id)).toMatchObject({ accountId: 'alice' });
    expect(await sessions.findByUid('v')).toBeUndefined();
  });
});
