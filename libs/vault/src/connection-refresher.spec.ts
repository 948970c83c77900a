import { MemoryLeaseStore, MemoryOneTimeStore, MemoryRecordStore } from '@behalf/adapter-memory';
import { RecordConflict, type RecordStore, systemClock } from '@behalf/ports';
import { type AnswerFate, type FakeProvider, startFakeProvider } from '@behalf/testing';
import { setTimeout } from 'node:timers/promises';
import { connectionId, connectionKind } from './connection.js';
import {
  TestPolicy,
  type TestVault,
  acmeProvider,
  connect,
  openTestVault,
  problemOf,
  resource,
} from './vault.fixture.js';

/** Already over when it is stored. */
const expired = 1;

describe('ConnectionRefresher', () => {
  let acme: FakeProvider;
  let policy: TestPolicy;
  let records: MemoryRecordStore;
  let shared: Parameters<typeof openTestVault>[2];
  const opened: FakeProvider[] = [];
  beforeEach(async () => {
    policy = await TestPolicy.create();
    await begin({ refreshTokens: 'rotating', graceMs: 5_000 });
  });
  afterEach(() => Promise.all(opened.splice(0).map((provider) => provider.close())));

  async function begin(options: Parameters<typeof startFakeProvider>[0]): Promise<void> {
    acme = await startFakeProvider(options);
    opened.push(acme);
    records = new MemoryRecordStore(systemClock);
    const verifyGrant = policy.verifier(new MemoryOneTimeStore(systemClock));
    shared = { records, leases: new MemoryLeaseStore(systemClock), verifyGrant };
  }
  const openVault = (given: typeof shared = {}, quirks = {}): TestVault =>
    openTestVault(policy, [acmeProvider(acme, quirks)], { ...shared, ...given });
  const open = async ({ vault }: TestVault, person = 'alice') => vault.openForUse(await policy.grant(person));
  const row = async () => {
    const id = connectionId({ tenant: 'default', owner: 'alice', providerId: 'acme', resource });
    return (await records.get(connectionKind, id))!.value;
  };

  it('refreshes once for 200 callers of four vaults that share a store, and serves them all', async () => {
    // A provider that ends the whole grant when a refresh token comes twice, however soon.
    await begin({ refreshTokens: 'rotating', graceMs: -1 });
    acme.answerFate = async (): Promise<AnswerFate> => {
      await setTimeout(100);
      return 'send';
    };
    const vaults = Array.from({ length: 4 }, () => openVault({}, { refreshGraceSeconds: 0 }));
    const { grantId } = await connect(vaults[0]!, acme, 'alice', expired);
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, nth) => open(vaults[nth % vaults.length]!)),
    );
    expect(acme.refreshes()).toBe(1);
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(acme.isLive(answers[0]!.accessToken)).toBe(true);
    expect(acme.isGrantRevoked(grantId)).toBe(false);
    // Nothing was lost: the next refresh token works, too.
    const { id } = (await vaults[1]!.vault.list('alice'))[0]!;
    const refreshed = await row();
    await records.transaction((transaction) =>
      transaction.put(connectionKind, id, { ...refreshed, accessTokenExpiresAtMs: Date.now() }),
    );
    expect(acme.isLive((await open(vaults[2]!)).accessToken)).toBe(true);
    expect(acme.refreshes()).toBe(2);
  });

  it('hands out what is still good while it fetches the next one', async () => {
    const test = openVault();
    const { accessToken } = await connect(test, acme, 'alice', 20);
    const { value, id } = (await records.list(connectionKind))[0]!;
    // Of a life of 20 seconds, 15 are over.
    const moved = {
      ...value,
      credentialSinceMs: Date.now() - 10_000,
      accessTokenExpiresAtMs: Date.now() + 6_000,
    };
    const later = { ...moved, credentialSinceMs: Date.now() - 30_000 };
    await records.transaction((transaction) => transaction.put(connectionKind, id, later));
    expect((await open(test)).accessToken).toBe(accessToken);
    while ((await row()).credentialVersion === 1) await setTimeout(5);
    expect((await open(test)).accessToken).not.toBe(accessToken);
  });

  it('keeps the refresh token of a provider that gives no other', async () => {
    await begin({ refreshTokens: 'lasting' });
    const test = openVault({}, { refreshTokens: 'lasting' });
    await connect(test, acme, 'alice', expired);
    for (let version = 2; version < 5; version++) {
      expect((await open(test)).credentialVersion).toBe(version);
      await test.vault.reportRefused((await test.vault.list('alice'))[0]!.id, 1);
      const { id, value } = (await records.list(connectionKind))[0]!;
      await records.transaction((transaction) =>
        transaction.put(connectionKind, id, { ...value, accessTokenExpiresAtMs: Date.now() }),
      );
    }
  });

  it('asks again within the grace for an answer that got lost', async () => {
    const test = openVault();
    await connect(test, acme, 'alice', expired);
    acme.answerFate = (nth) => (nth < 3 ? 'drop' : 'send');
    expect(acme.isLive((await open(test)).accessToken)).toBe(true);
    expect(acme.refreshes()).toBe(3);
  });

  it('does not ask again where that would end the grant, and says that the answer was lost', async () => {
    await begin({ refreshTokens: 'rotating', graceMs: -1 });
    const test = openVault({}, { refreshGraceSeconds: 0 });
    await connect(test, acme, 'alice', expired);
    acme.answerFate = (nth) => (nth === 1 ? 'drop' : 'send');
    expect(await problemOf(open(test))).toBe('unavailable');
    expect(acme.refreshes()).toBe(1);
    expect((await row()).refresh).toMatchObject({ mayBeUsed: true, isAsking: false });
    const { id, value } = (await records.list(connectionKind))[0]!;
    await records.transaction((transaction) =>
      transaction.put(connectionKind, id, { ...value, refresh: { ...value.refresh!, notBeforeMs: 0 } }),
    );
    expect(await problemOf(open(test))).toBe('needs_consent');
    expect(await row()).toMatchObject({ status: 'needs_consent', reason: 'refresh_lost' });
  });

  it('asks the person anew when the provider refuses, and drops the tokens', async () => {
    const test = openVault();
    const { grantId } = await connect(test, acme, 'alice', expired);
    acme.revokeGrant(grantId);
    expect(await problemOf(open(test))).toBe('needs_consent');
    expect(await row()).toMatchObject({ reason: 'refused_by_provider' });
    expect((await row()).sealed).toBeUndefined();
    await connect(test, acme);
    expect(await problemOf(open(test))).toBe('none');
  });

  it('waits longer after each failure, asks nobody meanwhile, and loses nothing', async () => {
    const test = openVault({ random: () => 0.5 });
    const { grantId } = await connect(test, acme, 'alice', expired);
    acme.answerFate = () => ({ status: 429, body: {} });
    await expect(open(test)).rejects.toMatchObject({ problem: 'unavailable', retryAfterSeconds: 1 });
    expect(await problemOf(open(test))).toBe('unavailable');
    expect(acme.refreshes()).toBe(1);
    expect((await row()).refresh).toMatchObject({ failures: 1 });
    expect(acme.isGrantRevoked(grantId)).toBe(false);
    expect((await row()).status).toBe('active');
  });

  it('keeps connections whose provider has gone from the configuration', async () => {
    await connect(openVault(), acme, 'alice', expired);
    const without = openTestVault(policy, [], shared);
    expect(await problemOf(open(without))).toBe('not_connected');
    expect((await row()).sealed).toBeDefined();
  });

  it('stores new tokens before anybody uses them, however often the store has to be asked', async () => {
    let refusals = 3;
    const moody: RecordStore = {
      get: (...asked) => records.get(...asked),
      list: (...asked) => records.list(...asked),
      transaction: async (work) => {
        if (acme.refreshes() === 0 || refusals-- <= 0) return records.transaction(work);
        throw refusals === 1 ? new RecordConflict('x', 'x') : new Error('the database is away');
      },
    };
    const test = openVault({ records: moody });
    await connect(openVault(), acme, 'alice', expired);
    expect(acme.isLive((await open(test)).accessToken)).toBe(true);
    expect(acme.refreshes()).toBe(1);
    expect((await row()).credentialVersion).toBe(2);
  });

  it('lets a refusal of its own late retry delete no newer token', async () => {
    // A leader that lost its lease without noticing: it comes with the old refresh token after another has refreshed.
    const [slow, quick] = [openVault(), openVault({ leases: new MemoryLeaseStore(systemClock) })];
    await connect(slow, acme, 'alice', expired);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    acme.answerFate = async (nth) => {
      if (nth !== 1) return 'send';
      await held;
      return { status: 400, body: { error: 'invalid_grant' } };
    };
    const slowly = open(slow);
    while (acme.refreshes() === 0) await setTimeout(5);
    const newer = await open(quick);
    release();
    expect(await slowly).toMatchObject({ accessToken: newer.accessToken, credentialVersion: 2 });
    expect(await row()).toMatchObject({ status: 'active', credentialVersion: 2 });
  });

  it('keeps the tokens of who was asked for them later, when both come late', async () => {
    const [slow, quick] = [openVault(), openVault()];
    const forgetful = new MemoryLeaseStore({ nowMs: () => Date.now() + 60_000 });
    await connect(slow, acme, 'alice', expired);
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    acme.answerFate = async (nth): Promise<AnswerFate> => {
      await gates[nth - 1]?.promise;
      return 'send';
    };
    const first = open(slow);
    while (acme.refreshes() < 1) await setTimeout(5);
    const second = open(openVault({ leases: forgetful }));
    while (acme.refreshes() < 2) await setTimeout(5);
    gates[0]?.resolve();
    const early = await first;
    expect(early.credentialVersion).toBe(2);
    gates[1]?.resolve();
    const late = await second;
    expect(late.credentialVersion).toBe(3);
    expect((await open(quick)).accessToken).toBe(late.accessToken);
  });

  it('revokes what it got for a connection that was ended meanwhile', async () => {
    const test = openVault();
    const { connection, grantId } = await connect(test, acme, 'alice', expired);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    acme.answerFate = async (): Promise<AnswerFate> => {
      await held;
      return 'send';
    };
    const opening = problemOf(open(test));
    while (acme.refreshes() === 0) await setTimeout(5);
    await test.vault.disconnect(connection.id, 'alice');
    release();
    expect(await opening).toBe('not_connected');
    expect(acme.isGrantRevoked(grantId)).toBe(true);
    expect((await row()).sealed).toBeUndefined();
  });

  it('leaves a new consent alone when an old refresh comes back', async () => {
    const test = openVault();
    await connect(test, acme, 'alice', expired);
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    acme.answerFate = async (): Promise<AnswerFate> => {
      await held;
      return 'send';
    };
    const opening = open(test);
    while (acme.refreshes() === 0) await setTimeout(5);
    const { accessToken } = await connect(test, acme);
    release();
    expect((await opening).accessToken).toBe(accessToken);
  });
});
