import { MemoryRecordStore } from '@behalf/adapter-memory';
import { writeRevocation } from '@behalf/adapter-oidc-provider';
import { revocationCreated } from '@behalf/contracts';
import { FakeClock } from '@behalf/testing';
import { IssuerClock } from './issuer-clock.js';

const lifetimeSeconds = 3_600;
const fiveMinutesMs = 5 * 60_000;

/** The time of the database, and a replica whose clock differs from it. */
function replicaOn(records: MemoryRecordStore, database: FakeClock) {
  const clock = new FakeClock(database.nowMs());
  const warnings: unknown[] = [];
  const issuer = new IssuerClock(
    {
      records,
      clock,
      // The way there and back takes a while.
      databaseTimeMs: async () => {
        clock.advanceSeconds(0.3);
        database.advanceSeconds(0.3);
        return database.nowMs();
      },
      logger: { warn: (what: unknown) => void warnings.push(what) } as never,
    },
    lifetimeSeconds,
  );
  return { clock, issuer, warnings };
}

describe('IssuerClock', () => {
  it('tells the others of a clock that was ahead, also when it is right again', async () => {
    const database = new FakeClock(Date.now());
    const records = new MemoryRecordStore(database);
    const [a, b] = [replicaOn(records, database), replicaOn(records, database)];
    const issuedUntilOf = async (): Promise<number> => {
      const nowMs = b.clock.nowMs();
      await records.transaction((transaction) =>
        writeRevocation(
          transaction,
          { kind: 'grant', id: 'g', issuedUntilMs: nowMs },
          { nowMs, lifetimeSeconds },
        ),
      );
      const { issuedUntilMs = NaN } = revocationCreated.data.parse(records.outbox.at(-1)?.data);
      return Math.round((issuedUntilMs - nowMs) / 1000);
    };
    for (const { issuer } of [a, b]) await issuer.measure();
    expect(await issuedUntilOf()).toBe(0);
    a.clock.advanceSeconds(fiveMinutesMs / 1000);
    await a.issuer.measure();
    expect(await issuedUntilOf()).toBeGreaterThanOrEqual(fiveMinutesMs / 1000);
    a.clock.advanceSeconds(-fiveMinutesMs / 1000);
    await a.issuer.measure();
    expect(await issuedUntilOf()).toBeGreaterThanOrEqual(fiveMinutesMs / 1000);
    expect([a.warnings.length, b.warnings.length]).toEqual([1, 0]);
  });
});
