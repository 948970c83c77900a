/**
 * Runs one piece of work for all who ask for the same at the same time. When it fails it fails for all of them, once:
 * nobody tries again on their own, so a part that is down is asked once and not by everybody.
 */
export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  /** @returns what the work came to, and whether it was this caller's */
  async run(key: string, work: () => Promise<T>): Promise<{ value: T; isLeader: boolean }> {
    const running = this.#running.get(key);
    if (running) return { value: await running, isLeader: false };
    const started = work().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return { value: await started, isLeader: true };
  }
}
