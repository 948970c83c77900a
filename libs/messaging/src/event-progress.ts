import type { RecordKind } from '@behalf/ports';
import { z } from 'zod';

const failedSchema = z.object({
  sequence: z.int().min(1),
  /** How often its listener has failed. */
  failures: z.int().min(1),
  /** When it is tried again. */
  dueAtMs: z.int(),
});
export type FailedEvent = z.output<typeof failedSchema>;

/** How far a follower is in the log of events. All its replicas go by one record. */
export const eventProgress = {
  name: 'event-progress',
  schema: z.object({
    /** Up to here everything is done, but for what has failed. */
    sequence: z.int().min(0),
    /** Set aside, so that it holds up nothing that comes after it. */
    failed: z.array(failedSchema),
  }),
} satisfies RecordKind<unknown>;
export type EventProgress = z.output<typeof eventProgress.schema>;
