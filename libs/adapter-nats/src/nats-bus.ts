import { EventListener, RequestHandler, parseJson, waitWithin } from '@behalf/messaging';
import {
  type Bus,
  BusError,
  type EventContract,
  type EventEnvelope,
  type Publication,
  type RequestContract,
  type RequestOptions,
  type Subscription,
  timeLeftMs,
} from '@behalf/ports';
import { inSpan, injectTraceContext } from '@behalf/telemetry';
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, headers } from '@nats-io/transport-node';
import { type WireAnswer, readAnswer } from './answer-message.js';
import { asBusError } from './as-bus-error.js';
import { type NatsConnectOptions, connectNats } from './connect-nats.js';
import { EventConsumer } from './event-consumer.js';
import { EventPublisher, publishTimeoutMs } from './event-publisher.js';
import { ensureEventStream, findEventStream } from './event-stream.js';
import { hedge } from './hedge.js';
import { againSubject, serveRequests, timeoutHeader } from './request-server.js';

export interface NatsBusOptions extends NatsConnectOptions {
  /** Requests of this process that may wait for an answer at once, and requests of a subject that may run at once. */
  maxInFlight: number;
  /** The one that makes the stream of events and publishes to it. */
  ownsEvents: boolean;
  /** Copies of the stream in a cluster. */
  eventReplicas?: number;
  /** Told of events that a listener could not read or failed on, and of what NATS does not let us do. */
  onError?: (what: string, error: unknown) => void;
  onConnection?: (state: 'lost' | 'back') => void;
}

const announceTimeoutMs = 5_000;
/** The longest time that one replica has to itself. */
const maxHedgeAfterMs = 500;
/** Questions that are asked of every replica at once: where all are slow, that must not make them slower. */
const maxHedges = 128;

/**
 * The bus over NATS. Replies are parsed like requests. While there is no connection, requests fail at once instead of
 * being kept: nobody would wait for their answers when they are sent.
 */
export class NatsBus implements Bus {
  readonly #serving = new Set<Subscription>();
  readonly #consumers = new Set<EventConsumer>();
  readonly #publisher: EventPublisher;
  #inFlight = 0;
  #hedging = 0;
  #isConnected = true;
  #closed: Promise<void> | undefined;

  private constructor(
    private readonly connection: NatsConnection,
    private readonly streams: { client: JetStreamClient; manager: JetStreamManager },
    private readonly position: { sequence: number; createdAt: string | undefined },
    private readonly options: NatsBusOptions,
  ) {
    this.#publisher = new EventPublisher(connection, streams, options);
    void this.#watchConnection();
  }

  /** @throws Error when NATS cannot be reached or does not know us */
  static async open(options: NatsBusOptions): Promise<NatsBus> {
    const connection = await connectNats(options);
    try {
      const client = jetstream(connection, { timeout: publishTimeoutMs });
      const manager = await jetstreamManager(connection, { checkAPI: false, timeout: publishTimeoutMs });
      if (options.ownsEvents) await ensureEventStream(manager, 'changes', options.eventReplicas ?? 1);
      const stream = await findEventStream(manager, 'changes');
      const position = { sequence: stream?.state.last_seq ?? 0, createdAt: stream?.created };
      return new NatsBus(connection, { client, manager }, position, options);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  get isConnected(): boolean {
    return this.#isConnected && this.#closed === undefined;
  }

  async request<Q, A>(contract: RequestContract<Q, A>, payload: Q, options: RequestOptions): Promise<A> {
    const { subject } = contract;
    return inSpan(`request ${subject}`, { kind: 'CLIENT' }, async () => {
      options.signal?.throwIfAborted();
      const timeoutMs = Math.min(options.timeoutMs, timeLeftMs());
      if (timeoutMs <= 0) throw new BusError('timeout', subject);
      if (!this.isConnected) throw new BusError('no_responders', subject);
      if (this.#inFlight >= this.options.maxInFlight) throw new BusError('overloaded', subject);
      this.#inFlight++;
      const sending = this.#ask(contract, payload, timeoutMs).finally(() => this.#inFlight--);
      const answer = await waitWithin(
        sending,
        { ...options, timeoutMs },
        () => new BusError('timeout', subject),
      );
      if (answer === undefined) throw new BusError('malformed_reply', subject);
      if ('problem' in answer) throw new BusError(answer.problem, subject);
      if ('refusal' in answer) throw new BusError('refused', subject, answer.refusal);
      const reply = contract.reply.safeParse(parseJson(answer.reply));
      if (!reply.success) throw new BusError('malformed_reply', subject, undefined, { cause: reply.error });
      return reply.data;
    });
  }

  handle<Q, A>(contract: RequestContract<Q, A>, handler: (payload: Q) => Promise<A>): Subscription {
    this.#checkOpen(contract.subject);
    const served = serveRequests(this.connection, contract, new RequestHandler(contract, handler), {
      maxInFlight: this.options.maxInFlight,
      onError: (subject, error) => this.#report(subject, error),
    });
    this.#serving.add(served);
    return served;
  }

  async publish<T>(contract: EventContract<T>, envelope: EventEnvelope<T>): Promise<void> {
    this.#checkOpen(contract.type);
    await this.#publisher.publish({ contract, envelope });
  }

  async publishInOrder(publications: readonly Publication[]): Promise<void> {
    const [first] = publications;
    if (!first) return;
    this.#checkOpen(first.contract.type);
    await this.#publisher.publishInOrder(publications);
  }

  subscribe<T>(
    contract: EventContract<T>,
    listener: (event: EventEnvelope<T>) => void | Promise<void>,
  ): Subscription {
    const { type } = contract;
    this.#checkOpen(type);
    const queue = new EventListener(contract, listener, (what, error) => this.#report(what, error));
    // Of activity, a listener hears all that is kept.
    const position = contract.stream === 'activity' ? { sequence: 0, createdAt: undefined } : this.position;
    const consumer = new EventConsumer(this.streams, contract, queue, position);
    this.#consumers.add(consumer);
    return {
      drain: async () => {
        this.#consumers.delete(consumer);
        await consumer.stop();
      },
    };
  }

  /** The server takes in what one connection says in order: when it answers, it knows of every subscription. */
  announced(): Promise<void> {
    const subject = 'flush';
    const flushed = this.connection.flush().catch((error: unknown) => {
      throw asBusError(error, subject);
    });
    const limit = { timeoutMs: announceTimeoutMs };
    return waitWithin(flushed, limit, () => new BusError('timeout', subject));
  }

  close(): Promise<void> {
    this.#closed ??= (async () => {
      await Promise.all([
        ...[...this.#serving].map((served) => served.drain()),
        ...[...this.#consumers].map((consumer) => consumer.stop()),
      ]);
      await this.connection.close();
    })();
    return this.#closed;
  }

  /** A replica that hangs is waited for in part of the time only, where the question may be asked again. */
  #ask<Q, A>(
    { subject, repeatable }: RequestContract<Q, A>,
    payload: Q,
    timeoutMs: number,
  ): Promise<WireAnswer | undefined> {
    const first = this.#send(subject, JSON.stringify(payload) ?? '', timeoutMs);
    if (!repeatable) return first;
    const afterMs = Math.min(timeoutMs / 4, maxHedgeAfterMs);
    const second = async (): Promise<WireAnswer> => {
      if (this.#hedging >= maxHedges) throw new BusError('overloaded', subject);
      this.#hedging++;
      try {
        const body = JSON.stringify(repeatable(payload)) ?? '';
        const answer = await this.#send(againSubject(subject), body, timeoutMs - afterMs);
        if (!answer || !('reply' in answer)) throw new BusError('refused', subject);
        return answer;
      } finally {
        this.#hedging--;
      }
    };
    return hedge(first, second, afterMs);
  }

  async #send(subject: string, body: string, timeoutMs: number): Promise<WireAnswer | undefined> {
    // More than it takes, and the server would cut the connection with everybody else's requests on it.
    if (Buffer.byteLength(body) > (this.connection.info?.max_payload ?? 0))
      throw new BusError('malformed_request', subject, undefined, { cause: new Error('too large') });
    const carried = headers();
    for (const [key, value] of Object.entries(injectTraceContext())) carried.set(key, value);
    carried.set(timeoutHeader, `${Math.ceil(timeoutMs)}`);
    try {
      return readAnswer(
        await this.connection.request(subject, body, { timeout: timeoutMs, headers: carried }),
      );
    } catch (error) {
      throw asBusError(error, subject);
    }
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'disconnect') {
        this.#isConnected = false;
        this.options.onConnection?.('lost');
      }
      // Said once for every attempt whose handshake was cut: what follows is done once.
      if (type === 'reconnect' && !this.#isConnected) {
        this.#isConnected = true;
        for (const consumer of this.#consumers) consumer.restart();
        this.options.onConnection?.('back');
      }
    }
  }

  #report(what: string, error: unknown): void {
    this.options.onError?.(what, error);
  }

  #checkOpen(subject: string): void {
    if (this.#closed) throw new BusError('no_responders', subject);
  }
}
