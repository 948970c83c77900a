import type { RecordTransaction } from '@behalf/ports';
import { streamEvents } from './event-types.js';
import type { TransmitterDependencies } from './ports.js';
import { cursorId, cursorRecords, setId, type StreamRecord, streamRecords } from './stream.js';
import { writeSet } from './write-set.js';

/**
 * Pauses or disables a stream by ourselves, and says so to its receiver: that goes out though the stream tells of
 * nothing else any more.
 *
 * @param expectedVersion as it was read; whatever it is now, without it
 * @see SSF 1.0 §8.1.5
 */
export async function stopStream(
  transaction: RecordTransaction,
  { id, stream, expectedVersion }: { id: string; stream: StreamRecord; expectedVersion?: number },
  { status, reason }: { status: 'paused' | 'disabled'; reason: string },
  dependencies: Pick<TransmitterDependencies, 'issuer' | 'clock' | 'newId'>,
): Promise<void> {
  const stopped = { ...stream, status, statusReason: reason };
  await transaction.put(streamRecords, id, stopped, {
    ...(expectedVersion !== undefined && { expectedVersion }),
  });
  const cursor = await transaction.get(cursorRecords, cursorId);
  const signal = {
    type: streamEvents.updated,
    subject: { format: 'opaque', id } as const,
    payload: { status, reason },
  };
  const place = setId(id, cursor?.value.sequence ?? 0, `u${dependencies.clock.nowMs()}`);
  await writeSet(transaction, id, stream.aud, signal, dependencies, place);
}
