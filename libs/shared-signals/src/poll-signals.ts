import type { RecordStore, Signer } from '@behalf/ports';
import { z } from 'zod';
import { setType } from './security-event-token.js';
import { mayLeave, setRecords, streamRecords } from './stream.js';

const maxAtOnce = 100;
const jti = z.string().min(1).max(500);

/** What a receiver sends to its poll endpoint. @see RFC 8936 §2.2 */
export const pollRequestSchema = z.object({
  maxEvents: z.int().min(0).default(maxAtOnce),
  returnImmediately: z.boolean().default(false),
  ack: z.array(jti).max(1_000).default([]),
  setErrs: z
    .record(jti, z.object({ err: z.string().max(200), description: z.string().max(2_000).optional() }))
    .default({}),
});
export type PollRequest = z.output<typeof pollRequestSchema>;

export interface PollAnswer {
  sets: Record<string, string>;
  moreAvailable?: boolean;
}

/**
 * Takes what a receiver acknowledges out, and gives it what waits, in order. What it does not acknowledge it gets again.
 *
 * Does not wait for anything to come; does not check whose stream it is.
 */
export async function pollSignals(
  streamId: string,
  { maxEvents, ack, setErrs }: PollRequest,
  { records, signer, onFault }: { records: RecordStore; signer: Signer; onFault: (what: string) => void },
): Promise<PollAnswer> {
  const refused = Object.entries(setErrs);
  for (const [id] of refused) onFault(`stream ${streamId}: the receiver refused ${id}`);
  const done = [...new Set([...ack, ...refused.map(([id]) => id)])];
  if (done.length > 0) await forget(streamId, done, records);
  const stream = await records.get(streamRecords, streamId);
  const limit = Math.min(maxEvents, maxAtOnce);
  if (!stream || limit === 0) return { sets: {} };
  const where = mayLeave(streamId, stream.value);
  const waiting = await records.list(setRecords, { where, limit: limit + 1 });
  const sets = await Promise.all(
    waiting
      .slice(0, limit)
      .map(async ({ value }) => [value.jti, await signer.sign(value.claims, { typ: setType })] as const),
  );
  return {
    sets: Object.fromEntries(sets),
    ...(waiting.length > limit && { moreAvailable: true }),
  };
}

async function forget(streamId: string, jtis: readonly string[], records: RecordStore): Promise<void> {
  await records.transaction(async (transaction) => {
    for (const id of jtis) {
      // Only its own: a `jti` of another stream is nothing here.
      const found = await transaction.list(setRecords, { where: { streamId, jti: id } });
      for (const set of found) await transaction.delete(setRecords, set.id);
    }
  });
}
