import { randomUUID } from 'node:crypto';
import type { EventListener } from '@behalf/messaging';
import type { EventStream } from '@behalf/ports';
import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  type JetStreamClient,
  type JetStreamManager,
  ReplayPolicy,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { eventStreams, eventSubject, findEventStream } from './event-stream.js';

const heartbeatMs = 1_000;
const fetchMs = 30_000;
const fetchedAtOnce = 200;
/** Longer than any reconnecting takes: the server forgets consumers of services that are gone. */
const forgottenAfterMs = 60_000;
const firstPauseMs = 50;
const longestPauseMs = 2_000;

/**
 * Reads one kind of event from the stream, in order, and goes on after the last one it has read whatever happens: to
 * the connection, to the consumer on the server, to the stream itself. A stream that begins anew is read from its
 * beginning. An event may be read twice.
 */
export class EventConsumer {
  #lastRead: number;
  #createdAt: string | undefined;
  #stopped = false;
  #messages: ConsumerMessages | undefined;
  #wake: () => void = () => {};
  readonly #running: Promise<void>;

  constructor(
    private readonly jetstream: { client: JetStreamClient; manager: JetStreamManager },
    private readonly contract: { type: string; stream?: EventStream },
    private readonly listener: Pick<EventListener<unknown>, 'deliver' | 'idle'>,
    /** The last event that is not wanted, and the stream it is of. */
    position: { sequence: number; createdAt: string | undefined },
  ) {
    this.#lastRead = position.sequence;
    this.#createdAt = position.createdAt;
    this.#running = this.#run();
  }

  /** Asks the server anew where we are: after a connection was lost it may be another one. */
  restart(): void {
    this.#messages?.stop();
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.restart();
    await this.#running;
    await this.listener.idle();
  }

  async #run(): Promise<void> {
    for (let pauseMs = firstPauseMs; !this.#stopped; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        if (await this.#read()) pauseMs = firstPauseMs;
      } catch {
        // Whatever it was, the next attempt begins from what the server says then.
      }
      if (!this.#stopped) await this.#pause(pauseMs * (0.5 + Math.random() / 2));
    }
  }

  /** Reads until something is in the way. @returns true when anything was read */
  async #read(): Promise<boolean> {
    const messages = await this.#open();
    this.#messages = messages;
    if (this.#stopped) messages.stop();
    void this.#watch(messages);
    let delivered = 0;
    for await (const message of messages) {
      const { streamSequence, deliverySequence } = message.info;
      // One is missing in between: it was on its way when the connection broke.
      if (deliverySequence !== delivered + 1) break;
      delivered = deliverySequence;
      this.listener.deliver(message.string());
      // So that what waits here is bounded: the server keeps the rest.
      await this.listener.idle();
      this.#lastRead = streamSequence;
    }
    messages.stop();
    return delivered > 0;
  }

  async #open(): Promise<ConsumerMessages> {
    const { client, manager } = this.jetstream;
    const { stream: name = 'changes' } = this.contract;
    const stream = await findEventStream(manager, name);
    if (!stream) throw new Error('there is no stream of events yet');
    if (stream.created !== this.#createdAt || stream.state.last_seq < this.#lastRead) {
      this.#createdAt = stream.created;
      this.#lastRead = 0;
    }
    const consumer = await manager.consumers.add(eventStreams[name].name, {
      name: randomUUID(),
      filter_subject: eventSubject(this.contract),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#lastRead + 1,
      ack_policy: AckPolicy.None,
      replay_policy: ReplayPolicy.Instant,
      inactive_threshold: nanos(forgottenAfterMs),
      mem_storage: true,
    });
    return client.consumers.getConsumerFromInfo(consumer).consume({
      max_messages: fetchedAtOnce,
      expires: fetchMs,
      idle_heartbeat: heartbeatMs,
    });
  }

  async #watch(messages: ConsumerMessages): Promise<void> {
    const lost = ['heartbeats_missed', 'consumer_not_found', 'consumer_deleted', 'stream_not_found'];
    for await (const { type } of messages.status()) if (lost.includes(type)) messages.stop();
  }

  async #pause(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
