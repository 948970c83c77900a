import { EventListener, RequestHandler, waitWithin } from '@behalf/messaging';
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

export interface InProcessBusOptions {
  /** Requests that may run at once, and events that may wait for one listener. More is refused as `overloaded`. */
  maxInFlight: number;
  /** Told of events that a listener could not read or failed on; the other listeners still get them. */
  onListenerError?: (type: string, error: unknown) => void;
}

/**
 * The bus inside one process. Messages cross it as what JSON makes of them and are parsed on the receiving side, so that
 * a program which works on it works over a network. Not durable: what a listener has not handled when the process ends is lost.
 */
export class InProcessBus implements Bus {
  readonly #handlers = new Map<string, Pick<RequestHandler<unknown, unknown>, 'answerValue' | 'idle'>[]>();
  readonly #listeners = new Map<string, Pick<EventListener<unknown>, 'deliver' | 'idle' | 'waiting'>[]>();
  #inFlight = 0;
  #turn = 0;
  #closed = false;

  constructor(private readonly options: InProcessBusOptions) {}

  async request<Q, A>(contract: RequestContract<Q, A>, payload: Q, options: RequestOptions): Promise<A> {
    const { subject } = contract;
    return inSpan(`request ${subject}`, { kind: 'CLIENT' }, async () => {
      options.signal?.throwIfAborted();
      const timeoutMs = Math.min(options.timeoutMs, timeLeftMs());
      if (timeoutMs <= 0) throw new BusError('timeout', subject);
      const handlers = this.#handlers.get(subject) ?? [];
      const handler = handlers[this.#turn++ % handlers.length];
      if (!handler) throw new BusError('no_responders', subject);
      if (this.#inFlight >= this.options.maxInFlight) throw new BusError('overloaded', subject);

      this.#inFlight++;
      const answering = handler
        .answerValue(payload, injectTraceContext(), timeoutMs)
        .finally(() => this.#inFlight--);
      const answer = await waitWithin(
        answering,
        { ...options, timeoutMs },
        () => new BusError('timeout', subject),
      );
      if ('problem' in answer) throw new BusError(answer.problem, subject);
      if ('refusal' in answer) throw new BusError('refused', subject, answer.refusal);
      const reply = contract.reply.safeParse(answer.reply);
      if (!reply.success) throw new BusError('malformed_reply', subject, undefined, { cause: reply.error });
      return reply.data;
    });
  }

  handle<Q, A>(contract: RequestContract<Q, A>, handler: (payload: Q) => Promise<A>): Subscription {
    this.#checkOpen(contract.subject);
    return register(this.#handlers, contract.subject, new RequestHandler(contract, handler));
  }

  async publish<T>(contract: EventContract<T>, envelope: EventEnvelope<T>): Promise<void> {
    this.#checkOpen(contract.type);
    const listeners = this.#listeners.get(contract.type) ?? [];
    if (listeners.some((listener) => listener.waiting >= this.options.maxInFlight)) {
      throw new BusError('overloaded', contract.type);
    }
    const json = JSON.stringify(envelope);
    for (const listener of listeners) listener.deliver(json);
  }

  async publishInOrder(publications: readonly Publication[]): Promise<void> {
    for (const { contract, envelope } of publications) await this.publish(contract, envelope);
  }

  subscribe<T>(
    contract: EventContract<T>,
    listener: (event: EventEnvelope<T>) => void | Promise<void>,
  ): Subscription {
    this.#checkOpen(contract.type);
    const onError = this.options.onListenerError ?? (() => {});
    return register(this.#listeners, contract.type, new EventListener(contract, listener, onError));
  }

  async announced(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#handlers.values(), ...this.#listeners.values()].flat();
    this.#handlers.clear();
    this.#listeners.clear();
    await Promise.all(running.map((one) => one.idle()));
  }

  #checkOpen(subject: string): void {
    if (this.#closed) throw new BusError('no_responders', subject);
  }
}

function register<R extends { idle(): Promise<void> }>(
  registry: Map<string, R[]>,
  name: string,
  one: R,
): Subscription {
  registry.set(name, [...(registry.get(name) ?? []), one]);
  return {
    drain: async () => {
      registry.set(name, registry.get(name)?.filter((other) => other !== one) ?? []);
      await one.idle();
    },
  };
}
