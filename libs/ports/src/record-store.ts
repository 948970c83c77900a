import type { z } from 'zod';
import type { EventContract } from './bus.js';

/** What a kind of record is called, how it is checked when read and written, and what it can be found by. */
export interface RecordKind<T> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
  /** Equality look-ups besides the id, e.g. `{ grantId }`. */
  readonly keys?: (value: T) => Record<string, string>;
}

export interface StoredRecord<T> {
  readonly id: string;
  readonly value: T;
  /** Starts at 1 and grows by one with every write. */
  readonly version: number;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number | undefined;
}

export interface ListOptions {
  /** Only these ids, those of them that are there. */
  ids?: readonly string[];
  /** Every key named must be equal. */
  where?: Record<string, string>;
  /** Ids greater than this one, for paging; ids are compared by code point. */
  afterId?: string;
  /** At most this many, 100 without it. */
  limit?: number;
}

export interface WriteOptions {
  /** After this moment the record reads as absent. Milliseconds since the epoch. */
  expiresAtMs?: number | undefined;
  /** The version the writer has read; 0 means "must not exist". Another version there is a RecordConflict. */
  expectedVersion?: number;
}

export interface NewRecord<T> {
  readonly id: string;
  readonly value: T;
  /** As of `WriteOptions`. */
  readonly expiresAtMs?: number | undefined;
}

export interface RecordReader {
  get<T>(kind: RecordKind<T>, id: string): Promise<StoredRecord<T> | undefined>;
  /** In the order of ids. Expired records are left out. */
  list<T>(kind: RecordKind<T>, options?: ListOptions): Promise<StoredRecord<T>[]>;
}

export interface RecordTransaction extends RecordReader {
  /** Writes a record whole. Returns its new version. @throws RecordConflict */
  put<T>(kind: RecordKind<T>, id: string, value: T, options?: WriteOptions): Promise<number>;
  /** Writes several records of one kind whole, whatever was there. Each id once. */
  putAll<T>(kind: RecordKind<T>, records: readonly NewRecord<T>[]): Promise<void>;
  /** True when there was one. */
  delete<T>(kind: RecordKind<T>, id: string): Promise<boolean>;
  /** Puts an event in the outbox: it is published if, and only if, this transaction commits. */
  emit<T>(contract: EventContract<T>, data: T): Promise<void>;
}

/**
 * Records that must never be lost. A transaction is atomic and isolated: what one reads, no other changes before it
 * ends, or one of them fails with RecordConflict. Its work may be run more than once until it can be committed, so it
 * must have no effect but on the transaction.
 */
export interface RecordStore extends RecordReader {
  transaction<R>(work: (transaction: RecordTransaction) => Promise<R>): Promise<R>;
}

/** Another writer was first. Read again, decide again. */
export class RecordConflict extends Error {
  override readonly name = 'RecordConflict';
  constructor(
    readonly kind: string,
    readonly id: string,
  ) {
    super(`record of kind ${kind} was changed by another writer`);
  }
}
