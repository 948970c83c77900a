import type { Publication } from '@behalf/ports';
import { type MsgHdrs, headers } from '@nats-io/transport-node';
import { eventStreams } from './event-stream.js';

/**
 * What JetStream goes by, and the attributes of the event.
 *
 * @param lastSequence of the message that has to be the last one of the stream before it
 * @see CloudEvents, NATS protocol binding, binary content mode
 */
export function eventHeaders<T>({ contract, envelope }: Publication<T>, lastSequence?: number): MsgHdrs {
  const { id, type, occurredAtMs, data } = envelope;
  const subject = contract.subject?.(data);
  const carried = headers();
  carried.set('Nats-Msg-Id', id);
  carried.set('Nats-Expected-Stream', eventStreams[contract.stream ?? 'changes'].name);
  if (lastSequence !== undefined) carried.set('Nats-Expected-Last-Sequence', `${lastSequence}`);
  carried.set('ce-specversion', '1.0');
  carried.set('ce-id', id);
  carried.set('ce-type', type);
  carried.set('ce-source', 'behalf');
  carried.set('ce-time', new Date(occurredAtMs).toISOString());
  carried.set('ce-datacontenttype', 'application/json');
  if (subject !== undefined) carried.set('ce-subject', encodeAttribute(subject));
  return carried;
}

/** Only printable ASCII goes into a header as it is. @see CloudEvents, HTTP protocol binding §3.1.3.2 */
function encodeAttribute(value: string): string {
  return value.toWellFormed().replaceAll(/[^\x21-\x7e]|["%]/gu, encodeURIComponent);
}
