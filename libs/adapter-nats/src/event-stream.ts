import {
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';

const hourMs = 3_600_000;
const subjects = 'behalf.event';

/** The stream of all events. A listener that was away for longer than it keeps them has to look up what holds now. */
export const eventStream = {
  name: 'BEHALF_EVENTS',
  subjects: [`${subjects}.>`],
  keptMs: 24 * hourMs,
  maxBytes: 1024 ** 3,
  /** An event that is published again within this time is stored once. */
  duplicateWindowMs: hourMs / 6,
} as const;

/** Event types read `behalf.<noun>.<past participle>`; their subjects must not be those of requests. */
export function eventSubject(type: string): string {
  return `${subjects}.${type.replace(/^behalf\./, '')}`;
}

/** Makes the stream where there is none. Nobody but its owner may, and nobody may delete from it. */
export async function ensureEventStream(manager: JetStreamManager, replicas: number): Promise<void> {
  await manager.streams.add({
    name: eventStream.name,
    subjects: [...eventStream.subjects],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(eventStream.keptMs),
    max_bytes: eventStream.maxBytes,
    duplicate_window: nanos(eventStream.duplicateWindowMs),
    num_replicas: replicas,
    deny_delete: true,
    deny_purge: true,
  });
}

/** @returns undefined where there is no stream, or nobody who knows */
export async function findEventStream(manager: JetStreamManager): Promise<StreamInfo | undefined> {
  return manager.streams.info(eventStream.name).catch(() => undefined);
}
