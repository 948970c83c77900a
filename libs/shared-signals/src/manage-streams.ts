import { createHash } from 'node:crypto';
import { canonicalJson } from '@behalf/i-json';
import type { RecordKind, RecordTransaction, StoredRecord } from '@behalf/ports';
import { maxSubjects } from './collect-signals.js';
import { streamEvents } from './event-types.js';
import type { Receiver, TransmitterDependencies } from './ports.js';
import {
  aboutStream,
  cursorId,
  cursorRecords,
  deliveryMethods,
  pushRecords,
  setId,
  setRecords,
  type StreamRecord,
  streamRecords,
  type StreamStatus,
  subjectRecords,
} from './stream.js';
import { StreamRefusal } from './stream-refusal.js';
import type { StreamRequest } from './stream-requests.js';
import type { Subject } from './subject-identifier.js';
import { writeSet } from './write-set.js';

const maxStreamsOfReceiver = 10;
/** Between two verifications of one stream. */
export const minVerificationSeconds = 10;

/** @throws StreamRefusal */
export async function createStream(
  receiver: Receiver,
  request: StreamRequest,
  dependencies: TransmitterDependencies,
): Promise<StoredRecord<StreamRecord>> {
  const { records, newId, clock } = dependencies;
  if (request.stream_id !== undefined) throw malformed('stream_id is ours to choose');
  const id = newId();
  const value: StreamRecord = {
    receiver: receiver.clientId,
    aud: receiver.audience,
    ...(await receiverSupplied(id, receiver, request, dependencies)),
    status: 'enabled',
    createdAtMs: clock.nowMs(),
  };
  const version = await records.transaction(async (transaction) => {
    const where = { receiver: receiver.clientId };
    const others = await transaction.list(streamRecords, { where, limit: maxStreamsOfReceiver });
    if (others.length === maxStreamsOfReceiver) throw new StreamRefusal({ kind: 'too_many_streams' });
    return transaction.put(streamRecords, id, value, { expectedVersion: 0 });
  });
  return { id, value, version, expiresAtMs: undefined };
}

/** The stream, if it is this receiver's: of another's it learns nothing. @throws StreamRefusal `stream_unknown` */
export async function getStream(
  receiver: Receiver,
  id: string,
  records: Pick<RecordTransaction, 'get'>,
): Promise<StoredRecord<StreamRecord>> {
  const found = await records.get(streamRecords, id);
  if (found?.value.receiver !== receiver.clientId) throw new StreamRefusal({ kind: 'stream_unknown' });
  return found;
}

/**
 * Changes what the receiver says of its stream: `update` leaves what is not named, `replace` takes it away.
 *
 * @throws StreamRefusal
 */
export async function changeStream(
  receiver: Receiver,
  request: StreamRequest,
  how: 'update' | 'replace',
  dependencies: TransmitterDependencies,
): Promise<StoredRecord<StreamRecord>> {
  const id = request.stream_id;
  if (id === undefined) throw malformed('stream_id');
  const stored = await getStream(receiver, id, dependencies.records);
  checkOurs(request, stored.value, dependencies.issuer);
  const supplied = await receiverSupplied(
    id,
    receiver,
    request,
    dependencies,
    how === 'update' ? stored.value : undefined,
  );
  const { receiver: by, aud, status, statusReason, createdAtMs, verifiedAtMs } = stored.value;
  const value: StreamRecord = {
    receiver: by,
    aud,
    status,
    statusReason,
    createdAtMs,
    verifiedAtMs,
    ...supplied,
  };
  const version = await dependencies.records.transaction(async (transaction) => {
    await transaction.delete(pushRecords, id);
    return transaction.put(streamRecords, id, value, { expectedVersion: stored.version });
  });
  return { ...stored, value, version };
}

/** Ends a stream with all that waits in it. @throws StreamRefusal */
export async function deleteStream(
  receiver: Receiver,
  id: string,
  { records }: Pick<TransmitterDependencies, 'records'>,
): Promise<void> {
  await records.transaction(async (transaction) => {
    await getStream(receiver, id, transaction);
    await transaction.delete(streamRecords, id);
    await transaction.delete(pushRecords, id);
    await dropAll(transaction, subjectRecords, { streamId: id });
    await dropAll(transaction, setRecords, { streamId: id });
  });
}

/** `paused` keeps what happens meanwhile, `disabled` does not. @throws StreamRefusal */
export async function setStatus(
  receiver: Receiver,
  { id, status, reason }: { id: string; status: StreamStatus; reason: string | undefined },
  { records }: Pick<TransmitterDependencies, 'records'>,
): Promise<StoredRecord<StreamRecord>> {
  return records.transaction(async (transaction) => {
    const stored = await getStream(receiver, id, transaction);
    const value = { ...stored.value, status, statusReason: reason };
    // Whoever sets the status need not hear what it was.
    await dropAll(transaction, setRecords, status === 'disabled' ? { streamId: id } : aboutStream(id));
    // Whoever says that it is there again need not wait for the end of a pause.
    if (status === 'enabled') await transaction.delete(pushRecords, id);
    const version = await transaction.put(streamRecords, id, value, { expectedVersion: stored.version });
    return { ...stored, value, version };
  });
}

/** Names a subject, or takes its name back. Twice is once. @throws StreamRefusal */
export async function nameSubject(
  receiver: Receiver,
  { id, subject, isWanted }: { id: string; subject: Subject; isWanted: boolean },
  { records, defaultSubjects }: Pick<TransmitterDependencies, 'records' | 'defaultSubjects'>,
): Promise<void> {
  await records.transaction(async (transaction) => {
    await getStream(receiver, id, transaction);
    const place = `${id}:${createHash('sha256').update(canonicalJson(subject)).digest('base64url')}`;
    if (isWanted === (defaultSubjects === 'ALL')) {
      await transaction.delete(subjectRecords, place);
      return;
    }
    const named = await transaction.list(subjectRecords, { where: { streamId: id }, limit: maxSubjects });
    if (named.length === maxSubjects) throw new StreamRefusal({ kind: 'too_many_subjects' });
    await transaction.put(subjectRecords, place, { streamId: id, subject });
  });
}

/** Sends a token that says nothing but what the receiver asked it to say. @throws StreamRefusal */
export async function verifyStream(
  receiver: Receiver,
  { id, state }: { id: string; state: string | undefined },
  dependencies: TransmitterDependencies,
): Promise<void> {
  const { records, clock } = dependencies;
  await records.transaction(async (transaction) => {
    const stored = await getStream(receiver, id, transaction);
    const nowMs = clock.nowMs();
    const againAtMs = (stored.value.verifiedAtMs ?? -Infinity) + minVerificationSeconds * 1000;
    if (nowMs < againAtMs)
      throw new StreamRefusal({
        kind: 'verified_just_now',
        retryAfterSeconds: Math.ceil((againAtMs - nowMs) / 1000),
      });
    await transaction.put(
      streamRecords,
      id,
      { ...stored.value, verifiedAtMs: nowMs },
      { expectedVersion: stored.version },
    );
    const cursor = await transaction.get(cursorRecords, cursorId);
    const signal = {
      type: streamEvents.verification,
      subject: { format: 'opaque', id } as const,
      payload: state === undefined ? {} : { state },
    };
    const place = setId(id, cursor?.value.sequence ?? 0, `v${nowMs}`);
    await writeSet(transaction, id, stored.value.aud, signal, dependencies, place);
  });
}

async function receiverSupplied(
  id: string,
  receiver: Receiver,
  request: StreamRequest,
  dependencies: Pick<TransmitterDependencies, 'seal' | 'mayPushTo'>,
  before?: StreamRecord,
): Promise<Pick<StreamRecord, 'delivery' | 'eventsRequested' | 'eventsDelivered' | 'description'>> {
  const eventsRequested = request.events_requested ?? before?.eventsRequested ?? [];
  const description = request.description ?? before?.description;
  return {
    delivery:
      request.delivery === undefined && before
        ? before.delivery
        : await deliveryOf(id, request, dependencies),
    eventsRequested,
    eventsDelivered: receiver.events.filter((type) => eventsRequested.includes(type)),
    ...(description !== undefined && { description }),
  };
}

/** @throws StreamRefusal `malformed` */
async function deliveryOf(
  id: string,
  { delivery }: StreamRequest,
  { seal, mayPushTo }: Pick<TransmitterDependencies, 'seal' | 'mayPushTo'>,
): Promise<StreamRecord['delivery']> {
  if (delivery === undefined || delivery.method === deliveryMethods.poll)
    return { method: deliveryMethods.poll };
  if (delivery.method !== deliveryMethods.push) throw malformed('delivery.method');
  const { endpoint_url: endpointUrl, authorization_header: header } = delivery;
  if (endpointUrl === undefined || !mayPushTo(endpointUrl)) throw malformed('delivery.endpoint_url');
  return {
    method: deliveryMethods.push,
    endpointUrl,
    ...(header !== undefined && { sealedAuthorization: await seal(header, id) }),
  };
}

/** What only we decide may be sent back to us, unchanged. @see SSF 1.0 §8.1.1.3 */
function checkOurs({ iss, aud }: StreamRequest, stream: StreamRecord, issuer: string): void {
  if (iss !== undefined && iss !== issuer) throw malformed('iss');
  if (aud !== undefined && ![aud].flat().every((one) => one === stream.aud)) throw malformed('aud');
}

async function dropAll<T>(
  transaction: RecordTransaction,
  kind: RecordKind<T>,
  where: Record<string, string>,
): Promise<void> {
  for (;;) {
    const found = await transaction.list(kind, { where });
    if (found.length === 0) return;
    for (const { id } of found) await transaction.delete(kind, id);
  }
}

function malformed(what: string): StreamRefusal {
  return new StreamRefusal({ kind: 'malformed', what });
}
