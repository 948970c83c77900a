import type { RecordKind } from '@behalf/ports';
import { z } from 'zod';
import { subjectSchema } from './subject-identifier.js';

export const deliveryMethods = { push: 'urn:ietf:rfc:8935', poll: 'urn:ietf:rfc:8936' } as const;

export const streamStatuses = ['enabled', 'paused', 'disabled'] as const;
export type StreamStatus = (typeof streamStatuses)[number];

const streamSchema = z.object({
  /** The client that made it, and the only one that sees it. */
  receiver: z.string(),
  aud: z.string(),
  delivery: z.discriminatedUnion('method', [
    z.object({
      method: z.literal(deliveryMethods.push),
      endpointUrl: z.string(),
      /** What the receiver wants to see in `Authorization`, sealed. */
      sealedAuthorization: z.string().optional(),
    }),
    z.object({ method: z.literal(deliveryMethods.poll) }),
  ]),
  eventsRequested: z.array(z.string()),
  eventsDelivered: z.array(z.string()),
  description: z.string().optional(),
  status: z.enum(streamStatuses),
  statusReason: z.string().optional(),
  createdAtMs: z.int(),
  verifiedAtMs: z.int().optional(),
});
export type StreamRecord = z.output<typeof streamSchema>;

export const streamRecords: RecordKind<StreamRecord> = {
  name: 'ssf-stream',
  schema: streamSchema,
  keys: ({ receiver }) => ({ receiver }),
};

/** A subject that a receiver named: to hear of it, or not to. Which of them, the deployment's default says. */
export const subjectRecords: RecordKind<{ streamId: string; subject: z.output<typeof subjectSchema> }> = {
  name: 'ssf-subject',
  schema: z.object({ streamId: z.string(), subject: subjectSchema }),
  keys: ({ streamId }) => ({ streamId }),
};

const waitingSetSchema = z.object({
  streamId: z.string(),
  jti: z.string(),
  /** Goes out whatever the status of the stream is. */
  isAboutStream: z.boolean().default(false),
  /** Signed when it leaves, with the key of that moment. */
  claims: z.record(z.string(), z.json()),
});
export type WaitingSet = z.output<typeof waitingSetSchema>;

/** A security event token that its receiver has not taken yet. Ids sort in the order of the events. */
export const setRecords: RecordKind<WaitingSet> = {
  name: 'ssf-set',
  schema: waitingSetSchema,
  keys: ({ streamId, jti, isAboutStream }) => ({ streamId, jti, ...(isAboutStream && { about: 'stream' }) }),
};

/** What is said of a stream itself. */
export function aboutStream(streamId: string): Record<string, string> {
  return { streamId, about: 'stream' };
}

/** What may go out of a stream now. */
export function mayLeave(streamId: string, { status }: StreamRecord): Record<string, string> {
  return status === 'enabled' ? { streamId } : aboutStream(streamId);
}

/** How far the pushing to a stream is. A record of its own: the receiver changes the other one. */
export const pushRecords: RecordKind<{ attempts: number; notBeforeMs: number; heldUntilMs: number }> = {
  name: 'ssf-push',
  schema: z.object({ attempts: z.int(), notBeforeMs: z.int(), heldUntilMs: z.int() }),
};

/** Up to where the events have been turned into signals. There is one. */
export const cursorRecords: RecordKind<{ sequence: number }> = {
  name: 'ssf-cursor',
  schema: z.object({ sequence: z.int() }),
};
export const cursorId = 'events';

/** @param place what sorts after everything of that event, for what is no event */
export function setId(streamId: string, sequence: number, place: number | string): string {
  return `${streamId}:${String(sequence).padStart(15, '0')}:${place}`;
}
