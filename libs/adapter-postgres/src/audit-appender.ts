import type { TreeEdge } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import { setImmediate } from 'node:timers/promises';
import { appendLeaves, lockEdge, readEdge, readWaiting } from './audit-leaves.js';
import type { Database } from './database.js';
import { outsideTransaction } from './open-transaction.js';

/** In one commit. More take longer than a caller likes to wait. */
const maxLeavesPerCommit = 500;
/**
 * While records come from several at once, they are let gather as long as one comes within so long after the other: a
 * commit costs as much as many records.
 */
const gatherMs = 1;
const maxGatherMs = 4;
/** By then the transaction that a record was written in has ended, most of the time. */
const placeAfterMs = 20;
const retryAfterMs = 1_000;

export interface AuditAppenderOptions {
  /** Leaves that may wait for the database. */
  maxWaiting: number;
  /** Told when leaves that were committed with a change could not be given their place; it is tried again. */
  onError?: (error: unknown) => void;
}

interface Waiting {
  readonly leaf: string;
  readonly resolve: (index: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Appends leaves to the log in the database. Those that arrive while one commit runs share the next one (group commit), so
 * a busy system pays for one per batch. Any number of processes may append to one log.
 */
export class AuditAppender {
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #taken = 0;
  /**
   * How many callers there are, as far as the last commit can tell: those it was for, who may soon be back, and those who
   * came meanwhile. A single one is not kept waiting.
   */
  #callers = 1;
  #onGathered: (() => void) | undefined;
  #edge: TreeEdge | undefined;
  /** Somebody else has appended since this log did. */
  #hasRivals = false;
  #hasUnplaced = true;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: Database,
    private readonly options: AuditAppenderOptions,
  ) {}

  /**
   * Resolves with its place when the leaf is committed.
   *
   * @throws OAuthError `temporarily_unavailable` when too many wait already
   */
  async append(leaf: string): Promise<number> {
    if (this.#waiting.length + this.#taken >= this.options.maxWaiting) {
      throw new OAuthError('temporarily_unavailable', 'the audit log cannot keep up', {
        retryAfterSeconds: 1,
      });
    }
    return this.#enqueue(leaf);
  }

  /**
   * However many wait. When it rejects, some may be committed, and none of the others will be.
   *
   * @returns the place of the last
   */
  async appendAll(leaves: readonly string[]): Promise<number> {
    const outcomes = await Promise.allSettled(leaves.map((leaf) => this.#enqueue(leaf)));
    const places = outcomes.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason;
      return outcome.value;
    });
    return places.at(-1)!;
  }

  #enqueue(leaf: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting.push({ leaf, resolve, reject });
    if (this.#waiting.length >= this.#callers) this.#onGathered?.();
    this.#start();
    return promise;
  }

  /** Gives records their place that an earlier process, or a transaction, has left without one. Resolves when done. */
  async place(): Promise<void> {
    this.#hasUnplaced = true;
    this.#start();
    await this.idle();
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    if (this.#timer) this.#start();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#flushing;
  }

  /** Leaves were written with a change, and get their place when it is committed. */
  placeSoon(): void {
    this.#placeAfter(placeAfterMs);
  }

  #placeAfter(pauseMs: number): void {
    this.#hasUnplaced = true;
    this.#timer ??= outsideTransaction(() =>
      setTimeout(() => {
        this.#timer = undefined;
        this.#start();
      }, pauseMs).unref(),
    );
  }

  #start(): void {
    this.#flushing ??= outsideTransaction(() => this.#flush());
  }

  async #flush(): Promise<void> {
    try {
      do {
        await this.#gather();
        const batch = this.#waiting.splice(0, maxLeavesPerCommit);
        this.#taken = batch.length;
        await this.#write(batch);
        this.#taken = 0;
      } while (this.#waiting.length > 0 || this.#hasUnplaced);
    } catch (error) {
      this.options.onError?.(error);
      this.#placeAfter(retryAfterMs);
    } finally {
      this.#flushing = undefined;
    }
  }

  /** Whoever is being served right now gets to add a record of their own: one commit more costs more than this wait. */
  async #gather(): Promise<void> {
    // Also when nothing waits: a flush that ended before it was noted down would be taken for one that never ends.
    await setImmediate();
    const end = performance.now() + maxGatherMs;
    for (let seen = -1; seen < this.#waiting.length && performance.now() < end;) {
      if (this.#waiting.length >= this.#callers) return;
      seen = this.#waiting.length;
      await this.#gathered();
    }
  }

  /** Resolves when as many wait as there are callers, or after a moment. */
  async #gathered(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // After a process was kept waiting for the processor, its timers come before the requests that have been here since.
    const timer = setTimeout(() => void setImmediate().then(resolve), gatherMs);
    this.#onGathered = resolve;
    await promise;
    clearTimeout(timer);
    this.#onGathered = undefined;
  }

  async #write(batch: Waiting[]): Promise<void> {
    try {
      const first = await this.#append(batch.map(({ leaf }) => leaf));
      this.#callers = batch.length + this.#waiting.length;
      for (const [n, { resolve }] of batch.entries()) resolve(first + n);
    } catch (error) {
      // Whether a commit that got no answer was made, only the database knows.
      this.#edge = undefined;
      this.#hasUnplaced = true;
      for (const { reject } of batch) reject(error);
      if (batch.length === 0) throw error;
    }
  }

  /** @returns the place of the first of them */
  async #append(leaves: string[]): Promise<number> {
    for (;;) {
      const first = await (this.#hasRivals ? this.#appendInTurn(leaves) : this.#appendToEdge(leaves));
      if (first !== undefined) return first;
    }
  }

  /** Without a lock: when another process was first, nothing is written, and it is tried again in turn. */
  async #appendToEdge(leaves: string[]): Promise<number | undefined> {
    const edge = (this.#edge ??= await readEdge(this.db));
    return this.#appendAfter(this.db, edge, leaves);
  }

  /** While others append, too: each waits for its turn, or who is slow would lose every race. */
  async #appendInTurn(leaves: string[]): Promise<number | undefined> {
    return this.db.transaction().execute(async (transaction) => {
      const edge = await lockEdge(transaction);
      this.#hasRivals = edge.size !== this.#edge?.size;
      return this.#appendAfter(transaction, edge, leaves);
    });
  }

  /** @returns the place of the first of them; undefined when they are not placed yet */
  async #appendAfter(db: Database, edge: TreeEdge, leaves: string[]): Promise<number | undefined> {
    const looks = this.#hasUnplaced;
    // Before looking: whoever adds one meanwhile says so again.
    this.#hasUnplaced = false;
    const unplaced = looks ? await readWaiting(db, maxLeavesPerCommit) : [];
    // What was committed before comes first.
    const areMoreUnplaced = unplaced.length === maxLeavesPerCommit;
    const next = [...unplaced.map(({ leaf }) => leaf), ...(areMoreUnplaced ? [] : leaves)];
    this.#hasUnplaced ||= areMoreUnplaced;
    if (next.length === 0) return edge.size;
    const positions = unplaced.map(({ position }) => position);
    const grown = await appendLeaves(db, edge, next, positions);
    this.#edge = grown ?? edge;
    this.#hasRivals ||= grown === undefined;
    this.#hasUnplaced ||= grown === undefined && unplaced.length > 0;
    return grown === undefined || areMoreUnplaced ? undefined : edge.size + unplaced.length;
  }
}
