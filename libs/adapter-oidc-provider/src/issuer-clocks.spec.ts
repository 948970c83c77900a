import { MemoryRecordStore } from '@behalf/adapter-memory';
import { type RevocableClaims, RevocationView } from '@behalf/revocation';
import { FakeClock } from '@behalf/testing';
import { noteIssuerClock } from './issuer-clocks.js';
import { listRevocationsAfter, writeRevocation } from './revocation-records.js';

const lifetimeSeconds = 3_600;
const fiveMinutesMs = 5 * 60_000;

/** The time that all share, and the clocks of two replicas. */
function replicas() {
  const clock = new FakeClock(Date.now());
  const records = new MemoryRecordStore(clock);
  const aheadMs = { a: 0, b: 0 };
  const nowOf = (replica: 'a' | 'b') => clock.nowMs() + aheadMs[replica];
  return {
    clock,
    /** Sets a clock, which the replica finds out. */
    set: (replica: 'a' | 'b', ms: number) => {
      aheadMs[replica] = ms;
      const when = { nowMs: nowOf(replica), lifetimeSeconds };
      return noteIssuerClock(records, replica, ms, when);
    },
    issue: (replica: 'a' | 'b'): RevocableClaims => ({
      jti: 'j',
      grant_id: 'g',
      iat: Math.floor(nowOf(replica) / 1000),
    }),
    /** As where a grant is narrowed: what was issued before ends, and what is issued from then on does not. */
    revoke: (replica: 'a' | 'b') => {
      const nowMs = nowOf(replica);
      const what = { kind: 'grant', id: 'g', issuedUntilMs: nowMs } as const;
      return records.transaction((transaction) =>
        writeRevocation(transaction, what, { nowMs, lifetimeSeconds }),
      );
    },
    isRevoked: async (claims: RevocableClaims): Promise<boolean> => {
      const view = new RevocationView(clock, () => 0);
      view.load((await listRevocationsAfter(records, undefined, clock.nowMs())).revocations);
      return view.isRevoked(claims);
    },
  };
}

describe('a revocation that ends what was issued before it', () => {
  it.each<[string, number, number]>([
    ['issued by a replica whose clock is ahead', fiveMinutesMs, 0],
    ['revoked by a replica whose clock is behind', 0, -fiveMinutesMs],
    ['where both are off', fiveMinutesMs, -fiveMinutesMs],
    ['where clocks agree', 0, 0],
  ])('attack: a token outlives it, %s', async (_title, issuerAheadMs, revokerAheadMs) => {
    const { clock, set, issue, revoke, isRevoked } = replicas();
    await set('a', issuerAheadMs);
    await set('b', revokerAheadMs);
    const token = issue('a');
    clock.advanceSeconds(10);
    await revoke('b');
    expect(await isRevoked(token)).toBe(true);
  });

  it('attack: a token outlives it, issued before the clock was put right', async () => {
    const { clock, set, issue, revoke, isRevoked } = replicas();
    await set('b', 0);
    await set('a', fiveMinutesMs);
    const token = issue('a');
    clock.advanceSeconds(60);
    await set('a', 0);
    await revoke('b');
    expect(await isRevoked(token)).toBe(true);
  });

  it('leaves what is issued next alone where clocks agree, as well as clocks do, and again after one was off', async () => {
    const { clock, set, issue, revoke, isRevoked } = replicas();
    await set('a', fiveMinutesMs);
    await set('b', 0);
    clock.advanceSeconds(lifetimeSeconds + fiveMinutesMs / 1000 + 1);
    await set('a', 900);
    await set('b', -900);
    await revoke('a');
    clock.advanceSeconds(2);
    expect(await isRevoked(issue('a'))).toBe(false);
  });

  it('goes by how clocks differ, and not by how they all differ from the database', async () => {
    const { clock, set, issue, revoke, isRevoked } = replicas();
    for (const replica of ['a', 'b'] as const) await set(replica, 3_600_000);
    await revoke('b');
    clock.advanceSeconds(1);
    expect(await isRevoked(issue('a'))).toBe(false);
  });
});
