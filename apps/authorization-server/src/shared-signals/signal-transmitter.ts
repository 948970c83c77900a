import { revocationCreated } from '@behalf/contracts';
import { type Bus, type Subscription, extendDeadline } from '@behalf/ports';
import {
  collectSignals,
  deliveryMethods,
  hasWaiting,
  listStreams,
  pollSignals,
  type PollAnswer,
  type PollRequest,
  pushSignals,
  type TransmitterDependencies,
} from '@behalf/shared-signals';
import { setTimeout as pause } from 'node:timers/promises';

/** Events wake us; this is for those that do not, and for what is to be tried again. */
const everyMs = 1_000;
const pollWaitMs = 20_000;
const pollCheckMs = 1_000;
const maxWaitingPolls = 100;
const maxPushesAtOnce = 20;

/** Carries signals to their receivers, in the background and when they come for them. */
export class SignalTransmitter {
  readonly #pushing = new Map<string, Promise<void>>();
  readonly #stopped = new AbortController();
  #news = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #waitingPolls = 0;

  constructor(readonly dependencies: TransmitterDependencies) {}

  /** Where nobody is to be told, nothing is done. */
  start(bus: Bus): Subscription[] {
    if (this.dependencies.receivers.length === 0) return [];
    this.#timer ??= setInterval(() => this.wake(), everyMs).unref();
    this.wake();
    return [bus.subscribe(revocationCreated, () => this.wake())];
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped.abort();
    await this.idle();
  }

  /** Resolves when what was begun is done. */
  async idle(): Promise<void> {
    await this.#running;
    await Promise.all(this.#pushing.values());
  }

  wake(): void {
    this.#again = true;
    this.#running ??= this.#run()
      .catch((error: unknown) => this.dependencies.onFault('signals wait', error))
      .finally(() => (this.#running = undefined));
  }

  /** Answers at once when something waits, when it is to, or when too many wait already; otherwise within a while. */
  async poll(streamId: string, request: PollRequest, gone: AbortSignal): Promise<PollAnswer> {
    let answer = await pollSignals(streamId, request, this.dependencies);
    if (request.returnImmediately || request.maxEvents === 0 || this.#waitingPolls >= maxWaitingPolls)
      return answer;
    extendDeadline(pollWaitMs);
    const over = AbortSignal.any([gone, this.#stopped.signal, AbortSignal.timeout(pollWaitMs)]);
    const asked = { ...request, ack: [], setErrs: {} };
    this.#waitingPolls++;
    try {
      while (Object.keys(answer.sets).length === 0 && !over.aborted) {
        const news = this.#news.promise;
        await Promise.race([news, pause(pollCheckMs, undefined, { signal: over }).catch(() => {})]);
        answer = await pollSignals(streamId, asked, this.dependencies);
      }
    } finally {
      this.#waitingPolls--;
    }
    return answer;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#stopped.signal.aborted) {
      this.#again = false;
      const touched = await collectSignals(this.dependencies);
      if (touched.size > 0) this.#tell();
      await this.#push();
    }
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** Each stream by itself: a receiver that is slow holds up nobody else. */
  async #push(): Promise<void> {
    const { records } = this.dependencies;
    if (!(await hasWaiting(records))) return;
    for (const { id, value } of await listStreams(records)) {
      if (value.delivery.method !== deliveryMethods.push) continue;
      if (this.#pushing.has(id) || this.#pushing.size >= maxPushesAtOnce) continue;
      const pushed = pushSignals(id, this.dependencies)
        .catch((error: unknown) => this.dependencies.onFault(`stream ${id} waits`, error))
        .finally(() => this.#pushing.delete(id));
      this.#pushing.set(id, pushed);
    }
  }
}
