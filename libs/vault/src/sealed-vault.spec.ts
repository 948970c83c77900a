import { MemoryCache, MemoryRecordStore } from '@behalf/adapter-memory';
import { type KeyEncryptionKey, KeyRing, LocalKeyEncryptionKey } from '@behalf/sealing';
import { type FakeProvider, FakeClock, startFakeProvider } from '@behalf/testing';
import { type ConnectionRecord, connectionId, connectionKind } from './connection.js';
import { VaultOperator } from './vault-operator.js';
import {
  TestPolicy,
  type TestVault,
  acmeProvider,
  connect,
  openTestVault,
  problemOf,
  resource,
} from './vault.fixture.js';

describe('SealedVault', () => {
  let acme: FakeProvider;
  let clock: FakeClock;
  let policy: TestPolicy;
  let records: MemoryRecordStore;
  let test: TestVault;
  beforeEach(async () => {
    clock = new FakeClock(Date.now());
    acme = await startFakeProvider({ refreshTokens: 'rotating', nowMs: () => clock.nowMs() });
    policy = await TestPolicy.create(clock);
    records = new MemoryRecordStore(clock);
    test = openVault();
  });
  afterEach(() => acme.close());

  const openVault = (given: Parameters<typeof openTestVault>[2] = {}): TestVault =>
    openTestVault(policy, [acmeProvider(acme)], { clock, records, ...given });
  const open = async (person = 'alice', of = test, more = {}) =>
    of.vault.openForUse(await policy.grant(person, more));
  const rowOf = async (owner = 'alice') => {
    const id = connectionId({ tenant: 'default', owner, providerId: 'acme', resource });
    return (await records.get(connectionKind, id))!;
  };
  const writeRow = (id: string, value: ConnectionRecord): Promise<number> =>
    records.transaction((transaction) => transaction.put(connectionKind, id, value));
  const alarms = (): unknown[] =>
    records.outbox
      .filter(({ type }) => type === 'behalf.vault.alarmed')
      .map(({ data }) => (data as { alarm: string }).alarm);

  it('tells one account of a person at a provider from another, where the provider does', async () => {
    const { connection } = await connect(test, acme);
    const replaces = (accountId: string | undefined, owner = 'alice'): Promise<boolean> =>
      test.vault.replacesAnother({
        ...connection,
        owner,
        tokens: {
          accessToken: 'x',
          tokenType: 'Bearer',
          expiresInSeconds: undefined,
          refreshToken: undefined,
          scopes: [],
          account: undefined,
          accountId,
          client: undefined,
        },
      });
    expect(await replaces('id of another')).toBe(true);
    expect([await replaces('id of alice'), await replaces(undefined), await replaces('x', 'bob')]).toEqual([
      false,
      false,
      false,
    ]);
  });

  describe('opening', () => {
    it('gives the token of the person that the grant names, and writes it down first', async () => {
      const { accessToken, connection } = await connect(test, acme);
      await connect(test, acme, 'bob');
      expect(await open()).toMatchObject({
        accessToken,
        connectionId: connection.id,
        header: 'authorization',
      });
      expect(test.audited).toEqual([
        expect.objectContaining({ type: 'vault-use', person: 'alice', actors: ['agent', 'gateway'] }),
      ]);
      expect(JSON.stringify(test.audited)).not.toContain(accessToken);
    });

    it('opens nothing twice with one grant, and nothing with none', async () => {
      await connect(test, acme);
      const grant = await policy.grant();
      expect(await problemOf(test.vault.openForUse(grant))).toBe('none');
      expect(await problemOf(test.vault.openForUse(grant))).toBe('grant_refused');
      expect(await problemOf(test.vault.openForUse(''))).toBe('grant_refused');
      const stranger = await TestPolicy.create(clock);
      expect(await problemOf(test.vault.openForUse(await stranger.grant()))).toBe('grant_refused');
    });

    it('uses the grant up even where it opens nothing', async () => {
      const grant = await policy.grant();
      expect(await problemOf(test.vault.openForUse(grant))).toBe('not_connected');
      await connect(test, acme);
      expect(await problemOf(test.vault.openForUse(grant))).toBe('grant_refused');
    });

    it('hands out nothing that cannot be written down', async () => {
      await connect(test, acme);
      const mute = openVault({ audit: { append: () => Promise.reject(new Error('full')) } });
      await expect(open('alice', mute)).rejects.toThrow('full');
    });

    it('says which scopes the person has not agreed to', async () => {
      await connect(test, acme);
      await expect(open('alice', test, { scopes: ['read', 'admin'] })).rejects.toMatchObject({
        problem: 'needs_scope',
        missingScopes: ['admin'],
      });
    });

    it('takes a scope for what it gives as well', async () => {
      await connect(test, acme);
      expect(await open('alice', test, { scopes: ['share'] })).toMatchObject({ scopes: ['read', 'write'] });
    });

    it('finds nothing at a resource that nobody configured', async () => {
      await connect(test, acme);
      expect(await problemOf(open('alice', test, { resource: 'https://other.example' }))).toBe(
        'not_connected',
      );
    });

    it('notes who used it last, for its owner', async () => {
      await connect(test, acme);
      await open();
      await new Promise(setImmediate);
      const [listed] = await test.vault.list('alice');
      expect(listed?.lastUse).toMatchObject({ actors: ['agent', 'gateway'], usedAtMs: clock.nowMs() });
      expect(JSON.stringify(listed)).not.toMatch(/behalf-sealed|at-|rt-|@acme/);
    });

    it('raises one alarm a minute when one person is opened too often, and goes on', async () => {
      const strict = openVault({ opensPerMinute: 2 });
      await connect(strict, acme);
      for (let nth = 0; nth < 5; nth++) await open('alice', strict);
      expect(alarms()).toEqual(['decrypt_rate']);
    });
  });

  describe('against who can write its rows', () => {
    it('opens no row that was moved to another person', async () => {
      await connect(test, acme);
      await connect(test, acme, 'bob');
      const [alice, bob] = [await rowOf(), await rowOf('bob')];
      await writeRow(bob.id, { ...bob.value, sealed: alice.value.sealed });
      expect(await problemOf(open('bob'))).toBe('needs_consent');
      await writeRow(bob.id, alice.value);
      expect(await problemOf(open('bob'))).toBe('not_connected');
      expect(alarms()).toEqual(['not_authentic']);
    });

    it('opens no secret in the place of another, nor older ones beside newer columns', async () => {
      await connect(test, acme);
      const { id, value } = await rowOf();
      const { access = '', refresh = '' } = value.sealed ?? {};
      await writeRow(id, { ...value, sealed: { access: refresh, refresh: access } });
      expect(await problemOf(open())).toBe('needs_consent');
      await connect(test, acme);
      const newer = await rowOf();
      await writeRow(id, { ...newer.value, sealed: value.sealed });
      expect(await problemOf(open())).toBe('needs_consent');
      expect(alarms()).toEqual(['not_authentic', 'not_authentic']);
    });

    it('opens no row of yesterday while anybody remembers a newer one', async () => {
      await connect(test, acme);
      const old = await rowOf();
      await connect(test, acme);
      await writeRow(old.id, old.value);
      expect(await problemOf(open())).toBe('needs_consent');
      expect(alarms()).toEqual(['rolled_back']);
      // Who connects anew gets a version past everything that was seen.
      const { connection } = await connect(test, acme);
      expect((await open()).credentialVersion).toBe(3);
      expect(connection.status).toBe('active');
    });

    it('takes no stale read for a rollback', async () => {
      const seenVersions = new MemoryCache<string>(clock, { maxEntries: 10 });
      const other = openVault({ seenVersions });
      await connect(other, acme);
      const get = records.get.bind(records);
      const stale = await rowOf();
      await connect(other, acme);
      let reads = 0;
      const late = Object.assign(Object.create(records) as MemoryRecordStore, {
        get: async (kind: typeof connectionKind, id: string) => (++reads === 1 ? stale : get(kind, id)),
      });
      const reader = openVault({ seenVersions, records: late });
      await open('alice', reader);
      expect(alarms()).toEqual([]);
    });

    it('shows nothing in a dump of its rows, and opens nothing with another key', async () => {
      const { accessToken, refreshToken } = await connect(test, acme);
      const row = await rowOf();
      const dump = JSON.stringify(row);
      for (const secret of [accessToken, refreshToken, 'alice@acme.example'])
        expect(dump).not.toContain(secret);
      const { id: keyId } = new LocalKeyEncryptionKey(Buffer.alloc(32, 1));
      const foreign = new LocalKeyEncryptionKey(Buffer.alloc(32, 2));
      const impostor: KeyEncryptionKey = {
        id: keyId,
        wrap: (...given) => foreign.wrap(...given),
        unwrap: (...given) => foreign.unwrap(...given),
      };
      const thief = openVault({ keys: new KeyRing(impostor) });
      expect(await problemOf(open('alice', thief))).toBe('needs_consent');
    });

    it('waits for an operator who forgot a former key, and raises no alarm', async () => {
      await connect(test, acme);
      const rotated = openVault({ keys: new KeyRing(new LocalKeyEncryptionKey(Buffer.alloc(32, 2))) });
      expect(await problemOf(open('alice', rotated))).toBe('unavailable');
      expect(alarms()).toEqual([]);
      expect(await problemOf(open())).toBe('none');
    });
  });

  describe('ending', () => {
    it('disconnects here and at the provider, tells everybody, and opens nothing any more', async () => {
      const { connection, grantId } = await connect(test, acme);
      expect(await test.vault.disconnect(connection.id, 'bob')).toBeUndefined();
      const done = await test.vault.disconnect(connection.id, 'alice');
      expect(done).toMatchObject({ atProvider: 'revoked', connection: { status: 'disconnected' } });
      expect(acme.isGrantRevoked(grantId)).toBe(true);
      expect(records.outbox.at(-1)).toMatchObject({
        type: 'behalf.connection.changed',
        data: { id: connection.id, status: 'disconnected', reason: 'disconnected_by_owner' },
      });
      expect(await problemOf(open())).toBe('not_connected');
      expect((await rowOf()).value.sealed).toBeUndefined();
    });

    it('ends it here even when the provider cannot be told', async () => {
      const { connection } = await connect(test, acme);
      await acme.close();
      expect(await test.vault.disconnect(connection.id, 'alice')).toMatchObject({ atProvider: 'failed' });
      expect(await problemOf(open())).toBe('not_connected');
    });

    it('ends everything of a person who left, and nothing of others', async () => {
      await connect(test, acme);
      await connect(test, acme, 'bob');
      const operator = new VaultOperator(test);
      expect(await operator.offBoard('alice')).toHaveLength(1);
      expect(await operator.offBoard('alice')).toHaveLength(0);
      expect((await rowOf()).value).toMatchObject({ status: 'disconnected', reason: 'person_offboarded' });
      expect(await problemOf(open('bob'))).toBe('none');
    });

    it('asks the person anew when the provider says that it was revoked', async () => {
      const { connection } = await connect(test, acme);
      await test.vault.endByProvider(connection.id);
      expect(await problemOf(open())).toBe('needs_consent');
      expect((await rowOf()).value).toMatchObject({ reason: 'revoked_by_provider' });
      await connect(test, acme);
      expect(await problemOf(open())).toBe('none');
    });

    it('refreshes a token that was refused, once, and then asks the person', async () => {
      const { connection } = await connect(test, acme);
      clock.advanceSeconds(60);
      await test.vault.reportRefused(connection.id, 1);
      expect((await open()).credentialVersion).toBe(2);
      await test.vault.reportRefused(connection.id, 1);
      expect((await open()).credentialVersion).toBe(2);
      await test.vault.reportRefused(connection.id, 2);
      expect(await problemOf(open())).toBe('needs_consent');
    });

    it('shows the account to its owner only', async () => {
      const { connection } = await connect(test, acme);
      expect(await test.vault.accountOf(connection.id, 'alice')).toBe('alice@acme.example');
      expect(await test.vault.accountOf(connection.id, 'bob')).toBeUndefined();
    });
  });
});
