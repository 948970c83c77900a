import type { EventStream } from '@behalf/ports';
import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

const hourMs = 3_600_000;

interface StreamSettings {
  name: string;
  /** What the subjects of its events begin with. */
  prefix: string;
  subjects: readonly [string];
}

/**
 * The streams of events. A listener that was away for longer than they keep them has to look up what holds now, or to
 * read the audit log. A stream of its own for what is done all day: it must not displace what has changed.
 */
export const eventStreams: Readonly<Record<EventStream, StreamSettings>> = {
  changes: { name: 'BEHALF_EVENTS', prefix: 'behalf.event', subjects: ['behalf.event.>'] },
  activity: { name: 'BEHALF_ACTIVITY', prefix: 'behalf.activity', subjects: ['behalf.activity.>'] },
};

const kept = {
  forMs: 24 * hourMs,
  maxBytes: 1024 ** 3,
  /** An event that is published again within this time is stored once. */
  duplicateWindowMs: hourMs / 6,
} as const;

/** Event types read `behalf.<noun>.<past participle>`; their subjects must not be those of requests. */
export function eventSubject({ type, stream = 'changes' }: { type: string; stream?: EventStream }): string {
  return `${eventStreams[stream].prefix}.${type.replace(/^behalf\./, '')}`;
}

/** Makes the stream where there is none. Nobody but its owner may, and nobody may delete from it. */
export async function ensureEventStream(
  manager: JetStreamManager,
  stream: EventStream,
  replicas: number,
): Promise<void> {
  const { name, subjects } = eventStreams[stream];
  await manager.streams.add({
    name,
    subjects: [...subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(kept.forMs),
    max_bytes: kept.maxBytes,
    duplicate_window: nanos(kept.duplicateWindowMs),
    num_replicas: replicas,
    deny_delete: true,
    deny_purge: true,
  });
}

/** @returns undefined where there is no stream, or nobody who knows */
export async function findEventStream(
  manager: JetStreamManager,
  stream: EventStream,
): Promise<StreamInfo | undefined> {
  return manager.streams.info(eventStreams[stream].name).catch(() => undefined);
}
