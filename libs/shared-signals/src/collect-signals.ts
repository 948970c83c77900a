import { RecordConflict, type EventEnvelope, type RecordTransaction } from '@behalf/ports';
import type { TransmitterDependencies } from './ports.js';
import type { Signal } from './security-event-token.js';
import { signalsOf } from './signals-of.js';
import { cursorId, cursorRecords, setId, setRecords, type StreamRecord, subjectRecords } from './stream.js';
import { listStreams } from './find-streams.js';
import { stopStream } from './stop-stream.js';
import { subjectsMatch, withoutPerson, type Subject } from './subject-identifier.js';
import { writeSet } from './write-set.js';

const eventsAtOnce = 100;
export const maxSubjects = 1_000;
/** What may wait for a receiver that does not take it: past it, its stream ends. */
const maxWaiting = 5_000;

type Collecting = Pick<
  TransmitterDependencies,
  'issuer' | 'receivers' | 'defaultSubjects' | 'records' | 'events' | 'facts' | 'clock' | 'newId' | 'onFault'
>;

/**
 * Turns every event since the last time into security event tokens for the streams that want them. The tokens and how
 * far we are commit together: whichever replica is first does it, and nothing is missed or said twice by a crash.
 *
 * @returns the streams that have something new
 */
export async function collectSignals(dependencies: Collecting): Promise<Set<string>> {
  const touched = new Set<string>();
  const { records, events, onFault } = dependencies;
  for (;;) {
    const cursor = await records.get(cursorRecords, cursorId);
    // The first time ever: what happened before there was anybody to tell is nobody's business.
    const after = cursor?.value.sequence ?? (await events.head());
    const batch = cursor ? await events.after(after, eventsAtOnce) : [];
    const [first] = batch;
    if (cursor && !first) return touched;
    if (first && first.sequence > after + 1)
      onFault(`${first.sequence - after - 1} events are no longer there to be signalled`);
    const last = batch.at(-1)?.sequence ?? after;
    try {
      await records.transaction(async (transaction) => {
        const move = { expectedVersion: cursor?.version ?? 0 };
        await transaction.put(cursorRecords, cursorId, { sequence: last }, move);
        for (const id of await writeSets(transaction, batch, dependencies)) touched.add(id);
      });
    } catch (error) {
      // Another replica was first; what it did is there to be seen.
      if (!(error instanceof RecordConflict)) throw error;
    }
  }
}

async function writeSets(
  transaction: RecordTransaction,
  batch: readonly EventEnvelope<unknown>[],
  dependencies: Collecting,
): Promise<string[]> {
  const told = batch.length === 0 ? [] : await openStreams(transaction, dependencies);
  if (told.length === 0) return [];
  const touched: string[] = [];
  for (const event of batch) {
    const signals = await signalsOf(event, dependencies.issuer, dependencies.facts).catch(
      (error: unknown) => {
        // One event that cannot be read must not hold up all that come after it.
        dependencies.onFault(`event ${event.sequence} was not signalled`, error);
        return [];
      },
    );
    for (const [nth, signal] of signals.entries()) {
      for (const { id, stream, subjects } of told) {
        const shown = forStream(signal, stream, dependencies);
        if (!shown || !isWanted(shown.subject, subjects, dependencies.defaultSubjects)) continue;
        await writeSet(transaction, id, stream.aud, shown, dependencies, setId(id, event.sequence, nth));
        touched.push(id);
      }
    }
  }
  return touched;
}

async function openStreams(transaction: RecordTransaction, dependencies: Collecting) {
  const streams = await listStreams(transaction);
  const open = [];
  for (const { id, value: stream } of streams) {
    if (stream.status === 'disabled') continue;
    const where = { streamId: id };
    const waiting = await transaction.list(setRecords, { where, limit: maxWaiting });
    if (waiting.length === maxWaiting) {
      dependencies.onFault(`stream ${id} is disabled: nobody took what waits in it`);
      for (const set of waiting) await transaction.delete(setRecords, set.id);
      const why = { status: 'disabled', reason: 'more was waiting than is kept' } as const;
      await stopStream(transaction, { id, stream }, why, dependencies);
      continue;
    }
    const named = await transaction.list(subjectRecords, { where, limit: maxSubjects });
    open.push({ id, stream, subjects: named.map(({ value }) => value.subject) });
  }
  return open;
}

/** The signal as this receiver may see it; undefined when it may not. */
function forStream(
  signal: Signal,
  stream: StreamRecord,
  { receivers }: Pick<Collecting, 'receivers'>,
): Signal | undefined {
  const receiver = receivers.find(({ clientId }) => clientId === stream.receiver);
  if (!receiver?.events.includes(signal.type) || !stream.eventsDelivered.includes(signal.type))
    return undefined;
  const subject = receiver.namesPeople ? signal.subject : withoutPerson(signal.subject);
  return subject && { ...signal, subject };
}

function isWanted(subject: Subject, named: readonly Subject[], defaultSubjects: 'ALL' | 'NONE'): boolean {
  const isNamed = named.some((one) => subjectsMatch(one, subject));
  return defaultSubjects === 'ALL' ? !isNamed : isNamed;
}
