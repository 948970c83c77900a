import {
  type Bus,
  type Clock,
  type EventContract,
  type EventEnvelope,
  type EventLog,
  RecordConflict,
  type RecordStore,
  type StoredRecord,
  type Subscription,
} from '@behalf/ports';
import { attributes } from '@behalf/telemetry';
import { metrics } from '@opentelemetry/api';
import { type EventProgress, type FailedEvent, eventProgress } from './event-progress.js';

/** The bus wakes us; this is for what it did not carry, and for a database that was away. */
const lookEveryMs = 5_000;
const eventsAtOnce = 100;
const firstPauseMs = 500;
const longestPauseMs = 5 * 60_000;
/** Some twenty minutes of them: a part that was away is back by then, or what fails is the event itself. */
const maxFailures = 13;
/** Past it, it is not the events that are at fault, and those that come next wait in the log. */
const maxSetAside = 1_000;

export interface EventFollowerPorts {
  bus: Bus;
  events: EventLog;
  records: RecordStore;
  clock: Clock;
}

export interface EventFollowerOptions {
  service: string;
  /** What is done with the events, in a word: its progress is kept under the two. */
  name: string;
  /** Told of events that failed, were given up, or are no longer there. */
  onFault: (what: string, error?: unknown) => void;
}

/** What to do with one kind of event. It may be told twice, by several replicas at once, late, and out of order. */
export interface EventReaction {
  readonly contract: EventContract<unknown>;
  handle(event: EventEnvelope<unknown>): Promise<unknown>;
}

export function reactTo<T>(
  contract: EventContract<T>,
  handle: (event: EventEnvelope<T>) => Promise<unknown>,
): EventReaction {
  return {
    contract,
    handle: async (event) => handle({ ...event, data: contract.data.parse(event.data) }),
  };
}

/**
 * Does something about every event of some kinds, at least once: also of those that were told while nobody was running,
 * and of those that the bus has lost, since it reads them from the log that they were committed to. The bus only says
 * that there is something new.
 *
 * An event whose reaction fails is set aside and tried again, later and later; those after it are not held up. After
 * `maxFailures` it is given up, which is logged and counted. What the log has no longer, after a day, is missed.
 */
export class EventFollower {
  readonly #reactions: ReadonlyMap<string, EventReaction>;
  readonly #id: string;
  #subscriptions: Subscription[] = [];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = false;
  readonly #count: (outcome: 'failed' | 'given_up' | 'missed', by?: number) => void;

  private constructor(
    reactions: readonly EventReaction[],
    private readonly ports: EventFollowerPorts,
    private readonly options: EventFollowerOptions,
  ) {
    this.#reactions = new Map(reactions.map((reaction) => [reaction.contract.type, reaction]));
    this.#id = `${options.service}/${options.name}`;
    const failures = metrics.getMeter('behalf').createCounter('behalf.event.failures', {
      description: 'Events that something should have been done about',
    });
    const by = { [attributes.serviceName]: options.service, listener: options.name };
    this.#count = (outcome, times = 1) => failures.add(times, { ...by, outcome });
    // From nothing on, so that the first one is seen as a step.
    for (const outcome of ['failed', 'given_up', 'missed'] as const) this.#count(outcome, 0);
  }

  /**
   * Goes on where the last replica was. The first time ever it begins with what happens from now on: whatever an event
   * would end has not begun yet.
   *
   * @throws whatever keeps the progress from being read
   */
  static async start(
    reactions: readonly EventReaction[],
    ports: EventFollowerPorts,
    options: EventFollowerOptions,
  ): Promise<Subscription> {
    const follower = new EventFollower(reactions, ports, options);
    while (!(await ports.records.get(eventProgress, follower.#id))) await follower.#begin();
    follower.#subscriptions = reactions.map(({ contract }) =>
      ports.bus.subscribe(contract, () => follower.#wake()),
    );
    follower.#wake();
    return { drain: () => follower.#stop() };
  }

  async #begin(): Promise<void> {
    return this.#write(0, { sequence: await this.ports.events.head(), failed: [] });
  }

  #wake(): void {
    this.#again = true;
    if (this.#stopped) return;
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        this.options.onFault('events wait', error);
        return lookEveryMs;
      })
      .then((pauseMs) => {
        this.#running = undefined;
        if (this.#again) return this.#wake();
        clearTimeout(this.#timer);
        if (!this.#stopped)
          this.#timer = setTimeout(() => this.#wake(), pauseMs * (0.5 + Math.random() / 2)).unref();
      });
  }

  async #stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
    await this.#running;
  }

  /** @returns how long there is nothing to do */
  async #run(): Promise<number> {
    for (;;) {
      this.#again = false;
      const progress = await this.ports.records.get(eventProgress, this.#id);
      if (this.#stopped || !progress) return lookEveryMs;
      if (!(await this.#step(progress)) && !this.#again) return this.#pauseOf(progress.value);
    }
  }

  #pauseOf({ failed }: EventProgress): number {
    const nowMs = this.ports.clock.nowMs();
    return Math.max(0, Math.min(lookEveryMs, ...failed.map(({ dueAtMs }) => dueAtMs - nowMs)));
  }

  /**
   * Handles what is due, up to the first that fails, and writes down how far that is: where nothing can be written, nothing
   * counts as failed either.
   *
   * @returns false when nothing was to be done
   */
  async #step({ value, version }: StoredRecord<EventProgress>): Promise<boolean> {
    const { events, clock } = this.ports;
    const dueAgain = value.failed.find(({ dueAtMs }) => isDue(dueAtMs, clock.nowMs()));
    if (dueAgain) {
      const [event] = await events.after(dueAgain.sequence - 1, 1);
      const others = value.failed.filter((one) => one !== dueAgain);
      const isThere = event?.sequence === dueAgain.sequence;
      const failed = isThere ? await this.#handle(event, dueAgain.failures) : undefined;
      if (!isThere) this.#missed(1);
      await this.#write(version, { ...value, failed: failed ? [...others, failed] : others });
      return true;
    }

    const batch = await events.after(
      value.sequence,
      Math.min(eventsAtOnce, maxSetAside - value.failed.length),
    );
    const [first] = batch;
    if (!first) return false;
    if (first.sequence > value.sequence + 1) this.#missed(first.sequence - value.sequence - 1);
    let [sequence, failed]: [number, FailedEvent | undefined] = [value.sequence, undefined];
    for (const event of batch) {
      if (failed || this.#stopped) break;
      failed = await this.#handle(event, 0);
      ({ sequence } = event);
    }
    await this.#write(version, { sequence, failed: failed ? [...value.failed, failed] : value.failed });
    return true;
  }

  /** @returns when and how it is tried again, if it is */
  async #handle(event: EventEnvelope<unknown>, failedBefore: number): Promise<FailedEvent | undefined> {
    const { sequence, type } = event;
    try {
      await this.#reactions.get(type)?.handle(event);
      return undefined;
    } catch (error) {
      const failures = failedBefore + 1;
      const isGivenUp = failures >= maxFailures;
      this.#count(isGivenUp ? 'given_up' : 'failed');
      this.options.onFault(`event ${sequence} (${type}) ${isGivenUp ? 'is given up' : 'failed'}`, error);
      if (isGivenUp) return undefined;
      const pauseMs = Math.min(firstPauseMs * 2 ** failedBefore, longestPauseMs);
      return { sequence, failures, dueAtMs: this.ports.clock.nowMs() + pauseMs };
    }
  }

  #missed(count: number): void {
    this.#count('missed', count);
    this.options.onFault(`${count} events are no longer there to be heard`);
  }

  async #write(expectedVersion: number, progress: EventProgress): Promise<void> {
    try {
      await this.ports.records.transaction((transaction) =>
        transaction.put(eventProgress, this.#id, progress, { expectedVersion }),
      );
    } catch (error) {
      // Another replica was first: what it has written down is looked at next.
      if (!(error instanceof RecordConflict)) throw error;
    }
  }
}

/** A replica whose clock was ahead must not put an event off for as long. */
function isDue(dueAtMs: number, nowMs: number): boolean {
  return dueAtMs <= nowMs || dueAtMs > nowMs + longestPauseMs;
}
