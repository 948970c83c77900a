import type { z } from 'zod';

/** One request/reply subject: who sends what, who answers what. */
export interface RequestContract<Q, A> {
  readonly subject: string;
  /** A schema, or what answers as one. */
  readonly request: Pick<z.ZodType<Q>, 'safeParse'>;
  readonly reply: Pick<z.ZodType<A>, 'safeParse'>;
  /**
   * The same question in a form that may be asked again while the first is not answered, of others: whoever answers it
   * spends and uses up nothing. A request without it is asked once.
   */
  repeatable?(this: void, payload: Q): Q;
}

/**
 * `changes` are told from the outbox, few and each with the change that it tells. `activity` is told from the audit
 * log: what is done all day, as much as there are calls.
 */
export type EventStream = 'changes' | 'activity';

/** One event type. */
export interface EventContract<T> {
  readonly type: string;
  readonly data: z.ZodType<T>;
  /** `changes` without it. */
  readonly stream?: EventStream;
  /** The id of what it is about, for who sorts events without reading them. */
  subject?(this: void, data: T): string | undefined;
}

export interface EventEnvelope<T> {
  readonly id: string;
  readonly type: string;
  /** Grows with every event of the stream; gaps tell a listener that it missed something. */
  readonly sequence: number;
  /** Milliseconds since the epoch. */
  readonly occurredAtMs: number;
  readonly data: T;
}

export interface RequestOptions {
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface Subscription {
  /** Stops new work and waits for what is running. */
  drain(): Promise<void>;
}

/** An event on its way, with the contract that it goes by. */
export interface Publication<T = unknown> {
  readonly contract: EventContract<T>;
  readonly envelope: EventEnvelope<T>;
}

/** Requests between services and events to all of them. */
export interface Bus {
  /** @throws BusError, which tells "nobody there", "no answer", "too busy", "malformed" and "refused" apart */
  request<Q, A>(contract: RequestContract<Q, A>, payload: Q, options: RequestOptions): Promise<A>;
  /** The payload is parsed before the handler sees it; a malformed one is answered with an error. */
  handle<Q, A>(contract: RequestContract<Q, A>, handler: (payload: Q) => Promise<A>): Subscription;
  publish<T>(contract: EventContract<T>, envelope: EventEnvelope<T>): Promise<void>;
  /**
   * Publishes several of one stream, in this order whatever happens: when one fails, none of those after it is there.
   * What was published before, by its id, stays as it is.
   */
  publishInOrder(publications: readonly Publication[]): Promise<void>;
  subscribe<T>(
    contract: EventContract<T>,
    listener: (event: EventEnvelope<T>) => void | Promise<void>,
  ): Subscription;
  /**
   * Resolves when every other program reaches what this one handles so far; until then it may be told `no_responders`.
   *
   * @throws BusError `timeout`, `no_responders`
   */
  announced(): Promise<void>;
  /** Drains every subscription. Later requests fail with `no_responders`. */
  close(): Promise<void>;
}

export type BusErrorReason =
  'no_responders' | 'timeout' | 'overloaded' | 'malformed_request' | 'malformed_reply' | 'refused';

export class BusError extends Error {
  override readonly name = 'BusError';
  constructor(
    readonly reason: BusErrorReason,
    readonly subject: string,
    /** With `refused`: the error the handler answered with, `{error, error_description}`. */
    readonly refusal?: { error: string; error_description: string },
    options?: ErrorOptions,
  ) {
    super(`${subject}: ${reason}`, options);
  }
}
