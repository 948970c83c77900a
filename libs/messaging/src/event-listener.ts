import { AsyncLocalStorage } from 'node:async_hooks';
import type { EventContract, EventEnvelope } from '@behalf/ports';

/** One listener's queue: events reach it in order, one at a time, and its failures stay its own. */
export class EventListener<T> {
  waiting = 0;
  #last: Promise<void> = Promise.resolve();
  readonly #inOwnContext = AsyncLocalStorage.snapshot();

  constructor(
    private readonly contract: EventContract<T>,
    private readonly listener: (event: EventEnvelope<T>) => void | Promise<void>,
    private readonly onError: (type: string, error: unknown) => void,
  ) {}

  deliver(json: string): void {
    this.waiting++;
    this.#last = this.#inOwnContext(() =>
      this.#last.then(() => this.#handle(json)).finally(() => this.waiting--),
    );
  }

  async #handle(json: string): Promise<void> {
    try {
      const envelope = JSON.parse(json) as EventEnvelope<unknown>;
      // The attack: a service has NATS send what it may hear to the subject of another event.
      if (envelope.type !== this.contract.type) throw new Error('this is another event');
      await this.listener({ ...envelope, data: this.contract.data.parse(envelope.data) });
    } catch (error) {
      this.onError(this.contract.type, error);
    }
  }

  idle(): Promise<void> {
    return this.#last;
  }
}
