import type { AuditLeaves } from '@behalf/audit';
import { type Bus, type Publication, RecordConflict, type RecordKind, type RecordStore } from '@behalf/ports';
import { z } from 'zod';
import { activityOf } from './activity-of.js';

/** Enough to share the noting down, and few enough that whoever is served by this process hardly waits for them. */
const leavesAtOnce = 200;
/** Where nothing was ever told, of a log that is there already. */
const toldOfThePast = 10_000;

/** The first leaf that was not told yet. There is one. */
const cursorRecords: RecordKind<{ next: number }> = {
  name: 'activity-cursor',
  schema: z.object({ next: z.int().min(0) }),
};
const cursorId = 'leaves';

export interface RelayDependencies {
  leaves: Pick<AuditLeaves, 'head' | 'leaves'>;
  records: RecordStore;
  bus: Pick<Bus, 'publishInOrder'>;
  /** The name of the log. */
  origin: string;
  /** Asked before every batch. */
  mayGoOn: () => Promise<boolean>;
  /** Told of leaves that cannot be read, which are passed over: one of them must not hold up all that come after it. */
  onFault: (what: string, error: unknown) => void;
}

/**
 * Tells of every leaf after the last one that was told, in the order of the log. How far it is, is written down after
 * a batch was told: whoever goes on after a crash tells part of a batch again, under the same ids.
 *
 * Several at once tell the same in the same order; of one leaf there is one event all the same.
 *
 * @throws what the bus and the stores throw; what was not told is told the next time
 */
export async function relayActivity(dependencies: RelayDependencies): Promise<void> {
  const { leaves, records, bus, mayGoOn } = dependencies;
  while (await mayGoOn()) {
    const cursor = await records.get(cursorRecords, cursorId);
    const from = cursor?.value.next ?? (await beginningOf(leaves));
    const batch = await leaves.leaves(from, leavesAtOnce);
    if (batch.length === 0) return;
    await bus.publishInOrder(publicationsOf(batch, from, dependencies));
    try {
      const next = { next: from + batch.length };
      const expectedVersion = cursor?.version ?? 0;
      await records.transaction((transaction) =>
        transaction.put(cursorRecords, cursorId, next, { expectedVersion }),
      );
    } catch (error) {
      // Another one was first, and told the same.
      if (!(error instanceof RecordConflict)) throw error;
    }
  }
}

/** Leaves that were not told yet. */
export async function activityWaiting({
  leaves,
  records,
}: Pick<RelayDependencies, 'leaves' | 'records'>): Promise<number> {
  const cursor = await records.get(cursorRecords, cursorId);
  const { size } = await leaves.head();
  return Math.max(0, size - (cursor?.value.next ?? (await beginningOf(leaves))));
}

async function beginningOf(leaves: Pick<AuditLeaves, 'head'>): Promise<number> {
  return Math.max(0, (await leaves.head()).size - toldOfThePast);
}

function publicationsOf(
  batch: readonly string[],
  from: number,
  { origin, onFault }: Pick<RelayDependencies, 'origin' | 'onFault'>,
): Publication[] {
  const told: Publication[] = [];
  for (const [nth, leaf] of batch.entries()) {
    try {
      const activity = activityOf(leaf, from + nth, origin);
      if (activity) told.push(activity);
    } catch (error) {
      onFault(`leaf ${from + nth} of the audit log was not told`, error);
    }
  }
  return told;
}
