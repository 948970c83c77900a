import type { EventEnvelope } from './bus.js';

/** The events that were committed, by their place: for whoever must not miss one, however long it was away. */
export interface EventLog {
  /** Events after a sequence, in order and without a gap. Those of long ago are no longer there. */
  after(sequence: number, limit: number): Promise<EventEnvelope<unknown>[]>;
  /** The sequence of the last event; 0 when there was none. */
  head(): Promise<number>;
}
