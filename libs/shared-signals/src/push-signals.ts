import { RecordConflict, type StoredRecord } from '@behalf/ports';
import type { TransmitterDependencies } from './ports.js';
import { setType } from './security-event-token.js';
import { stopStream } from './stop-stream.js';
import {
  deliveryMethods,
  mayLeave,
  pushRecords,
  setRecords,
  type StreamRecord,
  streamRecords,
  type WaitingSet,
} from './stream.js';

/** Longer than a push may take: the replica that pushes is alone with the stream until then. */
const heldMs = 15_000;
const firstPauseMs = 1_000;
const longestPauseMs = 15 * 60_000;
/** With these pauses about an hour and a half. After that the stream is paused, and what waits is kept for it. */
export const maxAttempts = 12;
const atOnce = 100;

type Pushing = Pick<
  TransmitterDependencies,
  'receivers' | 'records' | 'signer' | 'clock' | 'open' | 'push' | 'random' | 'onFault' | 'issuer' | 'newId'
>;

/**
 * Pushes what waits for a stream, in order, until there is nothing left or its receiver does not take it. A token is
 * gone only when the receiver has said that it took it; it may arrive twice, under the same `jti`.
 *
 * @see RFC 8935 §2
 */
export async function pushSignals(streamId: string, dependencies: Pushing): Promise<void> {
  for (let pushed = 0; pushed < atOnce; pushed++) {
    if (!(await pushNext(streamId, dependencies))) return;
  }
}

async function pushNext(streamId: string, dependencies: Pushing): Promise<boolean> {
  const { records, clock } = dependencies;
  const stream = await records.get(streamRecords, streamId);
  if (stream?.value.delivery.method !== deliveryMethods.push) return false;
  const nowMs = clock.nowMs();
  const push = await records.get(pushRecords, streamId);
  const { attempts = 0, notBeforeMs = 0, heldUntilMs = 0 } = push?.value ?? {};
  if (notBeforeMs > nowMs || heldUntilMs > nowMs) return false;
  const [next] = await records.list(setRecords, { where: mayLeave(streamId, stream.value), limit: 1 });
  if (!next) return false;

  const held = { attempts, notBeforeMs, heldUntilMs: nowMs + heldMs };
  const version = await records
    .transaction((transaction) =>
      transaction.put(pushRecords, streamId, held, { expectedVersion: push?.version ?? 0 }),
    )
    .catch(ignoreConflict);
  if (version === undefined) return false;
  const fault = await send(streamId, stream.value, next, dependencies);
  return fault === undefined
    ? markTaken(streamId, next, version, dependencies)
    : markFailed(streamId, next, attempts + 1, fault, dependencies);
}

/** @returns what went wrong, for the operator: never an answer's body, which is the receiver's to write */
async function send(
  streamId: string,
  { delivery, receiver }: StreamRecord,
  { value }: StoredRecord<WaitingSet>,
  { receivers, signer, open, push }: Pushing,
): Promise<string | undefined> {
  if (delivery.method !== deliveryMethods.push) return 'the stream is polled';
  const known = receivers.find(({ clientId }) => clientId === receiver);
  if (!known) return 'the receiver is no longer configured';
  try {
    const { endpointUrl, sealedAuthorization } = delivery;
    const authorization =
      sealedAuthorization === undefined ? undefined : await open(sealedAuthorization, streamId);
    const { status } = await push(endpointUrl, {
      headers: {
        'content-type': `application/${setType}`,
        accept: 'application/json',
        ...(authorization !== undefined && { authorization }),
      },
      body: await signer.sign(value.claims, { typ: setType }),
      internalHosts: known.internalHosts,
    });
    return status >= 200 && status < 300 ? undefined : `the receiver answered ${status}`;
  } catch (error) {
    const { reason } = error as { reason?: string };
    return `the receiver was not reached${typeof reason === 'string' ? `: ${reason}` : ''}`;
  }
}

async function markTaken(
  streamId: string,
  { id }: StoredRecord<WaitingSet>,
  version: number,
  { records }: Pushing,
): Promise<boolean> {
  const done = await records
    .transaction(async (transaction) => {
      await transaction.delete(setRecords, id);
      const free = { attempts: 0, notBeforeMs: 0, heldUntilMs: 0 };
      return transaction.put(pushRecords, streamId, free, { expectedVersion: version });
    })
    .catch(ignoreConflict);
  return done !== undefined;
}

async function markFailed(
  streamId: string,
  { id, value: { isAboutStream } }: StoredRecord<WaitingSet>,
  attempts: number,
  fault: string,
  dependencies: Pushing,
): Promise<false> {
  const { records, clock, random, onFault } = dependencies;
  const isOver = attempts >= maxAttempts;
  onFault(
    isOver && !isAboutStream
      ? `stream ${streamId} is paused: ${fault}`
      : `stream ${streamId} waits: ${fault}`,
  );
  const pauseMs = Math.min(firstPauseMs * 2 ** (attempts - 1), longestPauseMs) * (0.5 + random());
  await records
    .transaction(async (transaction) => {
      const next = isOver
        ? { attempts: 0, notBeforeMs: 0 }
        : { attempts, notBeforeMs: clock.nowMs() + pauseMs };
      const rounded = { ...next, notBeforeMs: Math.ceil(next.notBeforeMs), heldUntilMs: 0 };
      await transaction.put(pushRecords, streamId, rounded);
      if (!isOver) return;
      const stream = await transaction.get(streamRecords, streamId);
      // That a stream was stopped is said for as long as anything is; then its status is there to be asked for.
      if (isAboutStream) await transaction.delete(setRecords, id);
      else if (stream) {
        const { value, version: expectedVersion } = stream;
        const why = { status: 'paused', reason: fault } as const;
        await stopStream(transaction, { id: streamId, stream: value, expectedVersion }, why, dependencies);
      }
    })
    .catch(ignoreConflict);
  return false;
}

/** Another replica, or the receiver, was first: it is theirs to go on from there. */
function ignoreConflict(error: unknown): undefined {
  if (!(error instanceof RecordConflict)) throw error;
  return undefined;
}
