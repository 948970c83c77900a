import type { Publication } from '@behalf/ports';
import {
  type JetStreamClient,
  type JetStreamManager,
  type PubAck,
  JetStreamApiCodes,
  JetStreamApiError,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { asBusError } from './as-bus-error.js';
import { eventHeaders } from './event-headers.js';
import { ensureEventStream, eventStreams, eventSubject } from './event-stream.js';

export const publishTimeoutMs = 3_000;

/**
 * Events into the streams of JetStream. One that was published before, under the same id, is stored once: for as long as
 * the server remembers ids, and in `publishInOrder` for as long as the stream ends with it.
 */
export class EventPublisher {
  constructor(
    private readonly connection: NatsConnection,
    private readonly streams: { client: JetStreamClient; manager: JetStreamManager },
    private readonly options: { ownsEvents: boolean; eventReplicas?: number },
  ) {}

  /** Resolves when it is stored. @throws BusError */
  async publish<T>(publication: Publication<T>): Promise<PubAck> {
    const { type, stream = 'changes' } = publication.contract;
    try {
      return await this.#store(publication);
    } catch (error) {
      const failure = asBusError(error, type);
      if (!this.options.ownsEvents || failure.reason !== 'no_responders') throw failure;
      try {
        // NATS came back without its streams, or nothing was ever published to this one.
        await ensureEventStream(this.streams.manager, stream, this.options.eventReplicas ?? 1);
        return await this.#store(publication);
      } catch (again) {
        throw asBusError(again, type);
      }
    }
  }

  /** Resolves when all are stored, those of one stream in their order. @throws BusError */
  async publishInOrder(publications: readonly Publication[]): Promise<void> {
    const [first] = publications;
    if (!first) return;
    // Whoever was killed before it could note down what it had published may come back after the server has forgotten the
    // ids. Then the stream ends with one of these.
    const endId = await this.#lastIdIn(first.contract);
    let published = 1 + publications.findLastIndex(({ envelope }) => envelope.id === endId);
    let last: PubAck | undefined;
    // What is there already says nothing about where the stream ends: others may have come after it.
    while (published < publications.length && (last === undefined || last.duplicate))
      last = await this.publish(publications[published++]!);
    if (!last) return;
    const rest = publications.slice(published);
    const lastOne = rest.pop();
    if (!lastOne) return;
    // Each says which one has to be before it: the last one is stored only if all are, and only it is answered.
    let { seq } = last;
    for (const one of rest) this.#send(one, seq++);
    try {
      await this.#store(lastOne, seq);
    } catch (error) {
      throw asBusError(error, lastOne.contract.type);
    }
  }

  /** @returns the id that the stream ends with; undefined where it holds nothing. @throws BusError */
  async #lastIdIn({ type, stream = 'changes' }: Publication['contract']): Promise<string | undefined> {
    const { streams } = this.streams.manager;
    const { name } = eventStreams[stream];
    try {
      const { state } = await streams.info(name);
      if (state.messages === 0) return undefined;
      const end = await streams.getMessage(name, { seq: state.last_seq });
      return end?.header.get('Nats-Msg-Id');
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound)
        return undefined;
      throw asBusError(error, type);
    }
  }

  #store<T>(publication: Publication<T>, lastSequence?: number): Promise<PubAck> {
    const { contract, envelope } = publication;
    return this.streams.client.publish(eventSubject(contract), JSON.stringify(envelope), {
      timeout: publishTimeoutMs,
      headers: eventHeaders(publication, lastSequence),
      retries: 1,
    });
  }

  /** Nobody says whether it was stored. */
  #send<T>(publication: Publication<T>, lastSequence: number): void {
    const { contract, envelope } = publication;
    const carried = eventHeaders(publication, lastSequence);
    this.connection.publish(eventSubject(contract), JSON.stringify(envelope), { headers: carried });
  }
}
