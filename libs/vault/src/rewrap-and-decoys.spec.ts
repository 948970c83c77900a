import { MemoryRecordStore } from '@behalf/adapter-memory';
import { systemClock } from '@behalf/ports';
import { KeyRing, LocalKeyEncryptionKey } from '@behalf/sealing';
import { type FakeProvider, startFakeProvider } from '@behalf/testing';
import { connectionKind } from './connection.js';
import { plantDecoy } from './plant-decoy.js';
import { rewrapBatch } from './rewrap-connections.js';
import { SealedClientRegistrations } from './sealed-client-registrations.js';
import {
  TestPolicy,
  type TestVault,
  acmeProvider,
  connect,
  openTestVault,
  problemOf,
  resource,
  vaultKey,
} from './vault.fixture.js';

describe('the vault in the hands of its operator', () => {
  const nextKey = new LocalKeyEncryptionKey(Buffer.alloc(32, 7));
  let acme: FakeProvider;
  let policy: TestPolicy;
  let records: MemoryRecordStore;
  let test: TestVault;
  beforeEach(async () => {
    acme = await startFakeProvider({ refreshTokens: 'rotating' });
    policy = await TestPolicy.create();
    records = new MemoryRecordStore(systemClock);
    test = openTestVault(policy, [acmeProvider(acme)], { records });
  });
  afterEach(() => acme.close());
  const withKeys = (keys: KeyRing): TestVault =>
    openTestVault(policy, [acmeProvider(acme)], { records, keys });
  const open = async ({ vault }: TestVault, person: string) => vault.openForUse(await policy.grant(person));

  it('moves every data key in batches, opens nothing, and needs the former key no more', async () => {
    const people = Array.from({ length: 130 }, (_, nth) => `person-${nth}`);
    for (const person of people) await connect(test, acme, person);
    const before = await records.list(connectionKind, { limit: 1_000 });
    const redirect = 'https://behalf.example/callback/acme';
    const registered = { issuer: acme.issuer, clientId: 'ours', clientSecret: 'hush' };
    await new SealedClientRegistrations(records, test.keys).keep(redirect, registered);
    let unwraps = 0;
    const former = {
      id: vaultKey.id,
      wrap: () => Promise.reject(new Error('the former key seals nothing')),
      unwrap: (...asked: Parameters<typeof vaultKey.unwrap>) => {
        unwraps += 1;
        return vaultKey.unwrap(...asked);
      },
    };
    const moving = withKeys(new KeyRing(nextKey, [former]));
    expect(await rewrapBatch(moving)).toMatchObject({ moved: 100, failed: 0 });
    // As another process goes on after this one died.
    const done = await rewrapBatch(withKeys(new KeyRing(nextKey, [former])));
    expect(done).toMatchObject({ moved: 130, failed: 0, finishedAtMs: expect.any(Number) as number });
    expect(unwraps).toBe(130 * 3 + 2);
    const after = new Map(
      (await records.list(connectionKind, { limit: 1_000 })).map((row) => [row.id, row.value]),
    );
    for (const { id, value } of before) {
      const ciphertextOf = (sealed = ''): string => sealed.split('.').at(-1) ?? '';
      expect(ciphertextOf(after.get(id)?.sealed?.access)).toBe(ciphertextOf(value.sealed?.access));
    }
    const without = withKeys(new KeyRing(nextKey));
    for (const person of people.slice(0, 5)) expect(await problemOf(open(without, person))).toBe('none');
    const registrations = new SealedClientRegistrations(records, new KeyRing(nextKey));
    expect(await registrations.get(acme.issuer, redirect)).toEqual(registered);
    expect(await without.vault.endByAccount('acme', `id of ${people[7]}`)).toBe(1);
    expect(await rewrapBatch(moving)).toMatchObject({ moved: 0, failed: 0 });
  });

  it('counts what cannot be moved, and leaves it as it is', async () => {
    await connect(test, acme);
    const [row] = await records.list(connectionKind);
    const moving = withKeys(new KeyRing(nextKey));
    // The connection, and the key of the account index.
    expect(await rewrapBatch(moving)).toMatchObject({ moved: 0, failed: 2 });
    expect((await records.list(connectionKind))[0]?.value).toEqual(row?.value);
    expect(await problemOf(open(test, 'alice'))).toBe('none');
  });

  it('raises an alarm when a decoy is opened or refreshed, and hands out nothing', async () => {
    const decoy = {
      owner: 'victor',
      tenant: 'default',
      providerId: 'acme',
      resource,
      scopes: ['read'],
      accessToken: 'canary',
      refreshToken: 'canary too',
    };
    const id = (await plantDecoy(decoy, test)) ?? '';
    expect(await problemOf(open(test, 'victor'))).toBe('alarmed');
    const { value } = (await records.get(connectionKind, id))!;
    expect(JSON.stringify(value)).not.toMatch(/decoy|canary/i);
    await records.transaction((transaction) =>
      transaction.put(connectionKind, id, { ...value, accessTokenExpiresAtMs: 1 }),
    );
    expect(await problemOf(open(test, 'victor'))).toBe('alarmed');
    expect(acme.refreshes()).toBe(0);
    const raised = records.outbox.filter(({ type }) => type === 'behalf.vault.alarmed');
    expect(raised.map(({ data }) => data)).toEqual([
      expect.objectContaining({ alarm: 'decoy_opened', owner: 'victor', clientId: 'agent' }),
      expect.objectContaining({ alarm: 'decoy_opened', owner: 'victor' }),
    ]);
    expect(test.audited.map(({ type }) => type)).toEqual(['vault-alarm', 'vault-alarm']);
    expect(await plantDecoy(decoy, test)).toBeUndefined();
  });
});
