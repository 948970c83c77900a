import type { AuditJournal } from './audit-journal.js';
import { outsideTransaction } from './open-transaction.js';

/** In one commit. */
const maxTogether = 500;
/** So long leaves are let gather: a commit costs as much as many of them, and nobody waits for it. */
const gatherMs = 50;
const retryAfterMs = 1_000;
/** More are not let run ahead of their places: then whoever appends waits for these, which slows down who asks. */
const maxAhead = 10_000;
const pageSize = 5_000;

/** The log that leaves get their place in. */
export interface PlacedLeaves {
  /** Resolves with its place when the leaf is committed. */
  append(leaf: string): Promise<number>;
  /** The same, in this order; with the last place. When it rejects, none of the others will be committed. */
  appendAll(leaves: readonly string[]): Promise<number>;
  leaves(from: number, limit: number): Promise<readonly string[]>;
  size(): Promise<number>;
}

export interface JournaledLeavesOptions {
  /** Told when leaves could not be written to the journal, or given their place. None of them is lost. */
  onError?: (error: unknown) => void;
}

interface Settling {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Leaves that are durable before they have a place in the log: each is written to a journal at once, and gets its place
 * a moment later, with many others. What the end of the program leaves in the journal is placed at the next start.
 */
export class JournaledLeaves {
  #taken = 0;
  #placed = 0;
  #placing: Promise<void> | undefined;
  #settling: Settling[] = [];
  #wake: (() => void) | undefined;
  /** Until the journal is known to hold nothing that has its place, and while places cannot be given. */
  #isDirect = true;
  #isClosed = false;
  /** A commit that got no answer may have been made, also by an earlier program. */
  #mayBePlaced = true;

  constructor(
    private readonly journal: AuditJournal,
    private readonly log: PlacedLeaves,
    private readonly options: JournaledLeavesOptions,
  ) {}

  /** Gives what an earlier program has left its place. */
  async start(): Promise<void> {
    this.#taken = this.journal.leaves.length;
    if (this.#taken > 0) await this.#placeOldest();
    await this.journal.begin(await this.log.size());
    this.#mayBePlaced = false;
    this.#isDirect = false;
  }

  /**
   * Resolves when the leaf is durable. While the journal cannot be written, places cannot be given, or too many leaves
   * wait for theirs, that is when it has its place.
   *
   * @throws what appending to the log does
   */
  async append(leaf: string): Promise<void> {
    if (this.#isDirect || this.#taken - this.#placed >= maxAhead) return void (await this.log.append(leaf));
    this.#taken += 1;
    try {
      await this.journal.write(leaf);
    } catch (error) {
      this.#taken -= 1;
      this.options.onError?.(error);
      return void (await this.log.append(leaf));
    }
    this.#placing ??= outsideTransaction(() => this.#place());
  }

  /**
   * Resolves when all that was durable before has its place.
   *
   * @throws what the database does when it cannot be given
   */
  async settled(): Promise<void> {
    if (this.journal.leaves.length === 0) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#settling.push({ count: this.#placed + this.journal.leaves.length, resolve, reject });
    this.#wake?.();
    await promise;
  }

  /** What has no place by then keeps until the next start. */
  async close(): Promise<void> {
    await this.settled().catch(() => {});
    this.#isClosed = true;
    this.#wake?.();
    await this.#placing;
    await this.journal.close();
  }

  async #place(): Promise<void> {
    while (this.journal.leaves.length > 0 && !this.#isClosed) {
      await this.#pause();
      if (this.#isClosed) break;
      try {
        await this.#placeOldest();
        this.#isDirect = false;
      } catch (error) {
        this.#isDirect = true;
        this.options.onError?.(error);
        for (const { reject } of this.#settling.splice(0)) reject(error);
      }
    }
    this.#placing = undefined;
  }

  async #pause(): Promise<void> {
    const isUrgent = this.#settling.length > 0 || this.journal.leaves.length >= maxTogether;
    if (isUrgent && !this.#isDirect) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, this.#isDirect ? retryAfterMs : gatherMs).unref();
    this.#wake = resolve;
    await promise;
    clearTimeout(timer);
    this.#wake = undefined;
  }

  async #placeOldest(): Promise<void> {
    const doubtful = this.#mayBePlaced;
    const oldest = this.journal.leaves.slice(0, doubtful ? undefined : maxTogether);
    const missing = doubtful ? await this.#missing(oldest) : oldest;
    this.#mayBePlaced = true;
    let firstPlace = this.journal.firstPlace;
    for (let from = 0; from < missing.length; from += maxTogether)
      firstPlace = (await this.log.appendAll(missing.slice(from, from + maxTogether))) + 1;
    this.#mayBePlaced = false;
    this.journal.forget(oldest.length, firstPlace);
    this.#placed += oldest.length;
    this.#settling = this.#settling.filter(({ count, resolve }) => count > this.#placed || resolve());
  }

  /** Those that the log does not have yet. Of records that are the same in every respect, as many as are missing. */
  async #missing(leaves: readonly string[]): Promise<string[]> {
    const found = new Map(leaves.map((leaf) => [leaf, 0]));
    for (let from = this.journal.firstPlace, page; ; from += page.length) {
      page = await this.log.leaves(from, pageSize);
      if (page.length === 0) break;
      for (const leaf of page) {
        const count = found.get(leaf);
        if (count !== undefined) found.set(leaf, count + 1);
      }
    }
    return leaves.filter((leaf) => {
      const left = found.get(leaf)!;
      if (left > 0) found.set(leaf, left - 1);
      return left === 0;
    });
  }
}
