import type { RecordKind, RecordReader, RecordStore } from '@behalf/ports';
import { z } from 'zod';

const issuerClockSchema = z.object({
  /** Of its clock, to the time that all share; below zero where it is behind. */
  aheadMs: z.int(),
  /** The most, for as long as a token lives that was issued then. */
  mostAheadMs: z.int(),
  mostAheadAtMs: z.int(),
});

/** One record for each process that issues tokens: how its clock differs. */
const issuerClocks: RecordKind<z.output<typeof issuerClockSchema>> = {
  name: 'issuer-clock',
  schema: issuerClockSchema,
};

/** Clocks that are set by others never agree to the millisecond, nor can they be compared to it. */
const toleratedMs = 2_000;
const maxIssuers = 1_000;

/** @param lifetimeSeconds of the longest token that may have been issued by this clock */
export async function noteIssuerClock(
  records: RecordStore,
  issuer: string,
  aheadMs: number,
  { nowMs, lifetimeSeconds }: { nowMs: number; lifetimeSeconds: number },
): Promise<void> {
  const lifetimeMs = lifetimeSeconds * 1000;
  await records.transaction(async (transaction) => {
    const before = (await transaction.get(issuerClocks, issuer))?.value;
    const isMost =
      before === undefined || aheadMs >= before.mostAheadMs || before.mostAheadAtMs + lifetimeMs < nowMs;
    const most = isMost ? { mostAheadMs: aheadMs, mostAheadAtMs: nowMs } : before;
    const { mostAheadMs, mostAheadAtMs } = most;
    const expiresAtMs = nowMs + lifetimeMs;
    await transaction.put(issuerClocks, issuer, { aheadMs, mostAheadMs, mostAheadAtMs }, { expiresAtMs });
  });
}

/**
 * How far a token that was issued up to now may seem to have been issued after it: by a process whose clock was ahead,
 * to one whose clock is behind. 0 where clocks agree.
 */
export async function issuerClockSpreadMs(records: RecordReader): Promise<number> {
  const clocks = await records.list(issuerClocks, { limit: maxIssuers });
  if (clocks.length === 0) return 0;
  const most = Math.max(...clocks.map(({ value }) => value.mostAheadMs));
  const spreadMs = most - Math.min(...clocks.map(({ value }) => value.aheadMs));
  return spreadMs < toleratedMs ? 0 : spreadMs;
}
