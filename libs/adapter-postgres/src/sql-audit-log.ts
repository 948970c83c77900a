import {
  type AuditLeaves,
  type AuditLog,
  type AuditPlace,
  type AuditRecord,
  type TreeEdge,
  type TreeHead,
  auditRecordSchema,
  hashLeaf,
  maxLeafBytes,
  toLeaf,
} from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import { setImmediate } from 'node:timers/promises';
import { appendLeaves, lockEdge, readEdge, readLastLeaves, readLeaves, readWaiting } from './audit-leaves.js';
import type { Database } from './database.js';
import { outsideTransaction, transactionAround } from './open-transaction.js';

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

export interface SqlAuditLogOptions {
  /** Records that may wait for the database. More are refused: what cannot be recorded must not happen. */
  maxWaiting: number;
  /** Told when records could not be given their place; they are committed, and it is tried again. */
  onError?: (error: unknown) => void;
  /**
   * What goes on without a record that could not be written; nothing without it. A record that commits with a change is
   * none of these: the change cannot commit without it.
   */
  mayGoUnrecorded?: (record: AuditRecord) => boolean;
  /** Told of each of those. */
  onUnrecorded?: (record: AuditRecord, error: unknown) => void;
}

interface Waiting {
  readonly leaf: string;
  readonly resolve: (index: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The audit log: every record a leaf of a Merkle tree. Records that arrive while one commit runs share the next one
 * (group commit), so a busy system pays for one per batch; each `append` still resolves only when its own is durable.
 *
 * Inside a record transaction the record becomes part of it: it is kept if, and only if, that commits, and placed in
 * the log after it. A refusal that ends a transaction has to be recorded after it.
 */
export class SqlAuditLog implements AuditLog, AuditLeaves {
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
    private readonly options: SqlAuditLogOptions,
  ) {}

  /**
   * @throws OAuthError `temporarily_unavailable` when too many records wait already; TypeError for what JSON cannot
   *   say, or what is larger than a log holds
   */
  async append(record: AuditRecord, onPlaced?: (place: AuditPlace) => void): Promise<void> {
    const leaf = toLeaf(record);
    if (Buffer.byteLength(leaf) > maxLeafBytes) throw new TypeError('the audit record is too large');
    const transaction = transactionAround(this.db);
    if (transaction) {
      await transaction.insertInto('audit_waiting').values({ leaf }).execute();
      this.#placeAfter(placeAfterMs);
      return;
    }
    try {
      const index = await this.#enqueue(leaf);
      onPlaced?.({ index, leafHash: hashLeaf(leaf).toString('base64url') });
    } catch (error) {
      if (!this.options.mayGoUnrecorded?.(record)) throw error;
      this.options.onUnrecorded?.(record, error);
    }
  }

  async #enqueue(leaf: string): Promise<number> {
    if (this.#waiting.length + this.#taken >= this.options.maxWaiting) {
      throw new OAuthError('temporarily_unavailable', 'the audit log cannot keep up', {
        retryAfterSeconds: 1,
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#waiting.push({ leaf, resolve, reject });
    if (this.#waiting.length >= this.#callers) this.#onGathered?.();
    this.#start();
    return promise;
  }

  async latest(limit: number): Promise<AuditRecord[]> {
    const db = transactionAround(this.db) ?? this.db;
    const newest = await db
      .selectFrom('audit_waiting')
      .select('leaf')
      .orderBy('position', 'desc')
      .limit(limit)
      .execute();
    const placed = (await readLastLeaves(db, limit)).toReversed();
    return [...newest.map(({ leaf }) => leaf), ...placed]
      .slice(0, limit)
      .map((leaf) => auditRecordSchema.parse(JSON.parse(leaf)));
  }

  async head(): Promise<TreeHead> {
    const { size, root } = await readEdge(transactionAround(this.db) ?? this.db);
    return { size, root };
  }

  leaves(from: number, limit: number): Promise<string[]> {
    return readLeaves(this.db, from, limit);
  }

  async tileRoots(from: number, limit: number): Promise<Uint8Array[]> {
    const rows = await this.db
      .selectFrom('audit_tiles')
      .select('root')
      .where('tile_index', '>=', from)
      .orderBy('tile_index')
      .limit(limit)
      .execute();
    return rows.map(({ root }) => Buffer.from(root, 'base64'));
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
