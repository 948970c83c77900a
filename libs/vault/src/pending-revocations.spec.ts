import { MemoryRecordStore } from '@behalf/adapter-memory';
import { KeyRing, LocalKeyEncryptionKey } from '@behalf/sealing';
import { FakeClock, type FakeProvider, startFakeProvider } from '@behalf/testing';
import { ThirdPartyError } from '@behalf/third-party';
import { pendingRevocationKind, retryRevocations } from './pending-revocations.js';
import { rewrapBatch } from './rewrap-connections.js';
import {
  TestPolicy,
  type TestVault,
  acmeProvider,
  connect,
  openTestVault,
  vaultKey,
} from './vault.fixture.js';

describe('a provider that cannot be told that a connection is over', () => {
  let acme: FakeProvider;
  let clock: FakeClock;
  let records: MemoryRecordStore;
  let policy: TestPolicy;
  let test: TestVault;
  let isDown: boolean;
  let tells: number;
  const open = (keys = new KeyRing(vaultKey)): TestVault => {
    const opened = openTestVault(policy, [acmeProvider(acme)], { records, clock, keys, random: () => 0.5 });
    const { revoke } = opened.thirdParties;
    opened.thirdParties.revoke = async (...asked) => {
      tells += 1;
      if (isDown) throw new ThirdPartyError('unavailable', 'acme');
      return revoke.apply(opened.thirdParties, asked);
    };
    return opened;
  };
  beforeEach(async () => {
    acme = await startFakeProvider({ refreshTokens: 'rotating' });
    clock = new FakeClock();
    records = new MemoryRecordStore(clock);
    policy = await TestPolicy.create(clock);
    isDown = true;
    tells = 0;
    test = open();
  });
  afterEach(() => acme.close());
  const waiting = () => records.list(pendingRevocationKind);
  const endOne = async () => {
    const { connection, grantId } = await connect(test, acme);
    const ended = await test.vault.disconnect(connection.id, 'alice');
    return { grantId, ended };
  };

  it('is told as soon as it can be, by whichever process is there then', async () => {
    const { grantId, ended } = await endOne();
    expect(ended).toMatchObject({ connection: { status: 'disconnected' }, atProvider: 'failed' });
    expect(acme.isGrantRevoked(grantId)).toBe(false);
    isDown = false;
    // Not at once: it is down for everybody.
    await retryRevocations(open());
    expect(tells).toBe(1);
    clock.advanceSeconds(60);
    await Promise.all([retryRevocations(open()), retryRevocations(open())]);
    expect([tells, acme.isGrantRevoked(grantId), await waiting()]).toEqual([2, true, []]);
  });

  it('is told by another one when the first dies between the end here and the end there', async () => {
    const { connection, grantId } = await connect(test, acme);
    // It gets as far as asking, and is never heard of again.
    await new Promise<void>((resolve) => {
      test.thirdParties.revoke = () => {
        resolve();
        return new Promise(() => {});
      };
      void test.vault.disconnect(connection.id, 'alice');
    });
    expect(await waiting()).toHaveLength(1);
    isDown = false;
    clock.advanceSeconds(60);
    await retryRevocations(open());
    expect(acme.isGrantRevoked(grantId)).toBe(true);
  });

  it('is asked less and less often, and given up after a week, which the audit log says', async () => {
    await endOne();
    const audited = test.audited.length;
    for (let minute = 0; minute < 8 * 24 * 60; minute += 10) {
      clock.advanceSeconds(600);
      await retryRevocations(test);
    }
    expect(tells).toBeGreaterThan(20);
    expect(tells).toBeLessThan(50);
    expect(await waiting()).toEqual([]);
    expect(test.audited.slice(audited)).toEqual([
      expect.objectContaining({
        type: 'provider-revocation',
        outcome: 'refused',
        person: 'alice',
        details: expect.objectContaining({ provider: 'acme', reason: 'given_up', attempts: tells }) as object,
      }),
    ]);
  });

  it('is kept sealed meanwhile, and moves to a new key like everything else', async () => {
    const { grantId } = await endOne();
    expect(JSON.stringify(await waiting())).not.toMatch(/"(?:at|rt)-/);
    const next = new LocalKeyEncryptionKey(Buffer.alloc(32, 7));
    expect(await rewrapBatch(open(new KeyRing(next, [vaultKey])))).toMatchObject({ failed: 0 });
    isDown = false;
    clock.advanceSeconds(60);
    await retryRevocations(open(new KeyRing(next)));
    expect(acme.isGrantRevoked(grantId)).toBe(true);
  });
});
