import {
  type AuditLeaves,
  type AuditLog,
  type AuditPlace,
  type AuditRecord,
  type TreeHead,
  auditRecordSchema,
  hashLeaf,
  maxLeafBytes,
  toLeaf,
} from '@behalf/audit';
import { AuditAppender, type AuditAppenderOptions } from './audit-appender.js';
import { AuditJournal } from './audit-journal.js';
import { readEdge, readLastLeaves, readLeaves } from './audit-leaves.js';
import type { Database } from './database.js';
import { JournaledLeaves } from './journaled-leaves.js';
import { transactionAround } from './open-transaction.js';

export interface SqlAuditLogOptions extends AuditAppenderOptions {
  /**
   * What goes on without a record that could not be written; nothing without it. A record that commits with a change is
   * none of these: the change cannot commit without it.
   */
  mayGoUnrecorded?: (record: AuditRecord) => boolean;
  /** Told of each of those. */
  onUnrecorded?: (record: AuditRecord, error: unknown) => void;
}

/**
 * The audit log: every record a leaf of a Merkle tree. Each `append` resolves only when its record is durable: in the
 * database or, for a database of this program alone, in a journal beside it.
 *
 * Inside a record transaction the record becomes part of it: it is kept if, and only if, that commits, and placed in
 * the log after it. A refusal that ends a transaction has to be recorded after it.
 */
export class SqlAuditLog implements AuditLog, AuditLeaves {
  readonly #appender: AuditAppender;
  #journaled: JournaledLeaves | undefined;

  constructor(
    private readonly db: Database,
    private readonly options: SqlAuditLogOptions,
  ) {
    this.#appender = new AuditAppender(db, options);
  }

  /**
   * With a journal, a file that is made when there is none: for a database that no other program appends to. Ends when all
   * that an earlier program has left without a place has one.
   */
  static async openJournaled(db: Database, path: string, options: SqlAuditLogOptions): Promise<SqlAuditLog> {
    const log = new SqlAuditLog(db, options);
    const journaled = new JournaledLeaves(
      await AuditJournal.open(path, options),
      {
        append: (leaf) => log.#appender.append(leaf),
        appendAll: (leaves) => log.#appender.appendAll(leaves),
        leaves: (from, limit) => readLeaves(db, from, limit),
        size: async () => (await readEdge(db)).size,
      },
      options,
    );
    await journaled.start();
    log.#journaled = journaled;
    return log;
  }

  /**
   * @param onPlaced makes the caller wait for the place
   * @throws OAuthError `temporarily_unavailable` when too many records wait already; TypeError for what JSON cannot
   *   say, or what is larger than a log holds
   */
  async append(record: AuditRecord, onPlaced?: (place: AuditPlace) => void): Promise<void> {
    const leaf = toLeaf(record);
    if (Buffer.byteLength(leaf) > maxLeafBytes) throw new TypeError('the audit record is too large');
    const transaction = transactionAround(this.db);
    if (transaction) {
      await transaction.insertInto('audit_waiting').values({ leaf }).execute();
      this.#appender.placeSoon();
      return;
    }
    try {
      await this.#append(leaf, onPlaced);
    } catch (error) {
      if (!this.options.mayGoUnrecorded?.(record)) throw error;
      this.options.onUnrecorded?.(record, error);
    }
  }

  async #append(leaf: string, onPlaced?: (place: AuditPlace) => void): Promise<void> {
    if (this.#journaled && !onPlaced) return this.#journaled.append(leaf);
    const index = await this.#appender.append(leaf);
    onPlaced?.({ index, leafHash: hashLeaf(leaf).toString('base64url') });
  }

  async latest(limit: number): Promise<AuditRecord[]> {
    await this.#settled();
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
    await this.#settled();
    const { size, root } = await readEdge(transactionAround(this.db) ?? this.db);
    return { size, root };
  }

  async leaves(from: number, limit: number): Promise<string[]> {
    await this.#settled();
    return readLeaves(this.db, from, limit);
  }

  async tileRoots(from: number, limit: number): Promise<Uint8Array[]> {
    await this.#settled();
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
  place(): Promise<void> {
    return this.#appender.place();
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#journaled?.settled();
    await this.#appender.idle();
  }

  /** The same; what could not be given its place stays in the journal. */
  async close(): Promise<void> {
    await this.#journaled?.close();
    await this.#appender.idle();
  }

  /** Whoever was told that a record is durable finds it. Its place would wait for the end of a transaction around this. */
  async #settled(): Promise<void> {
    if (!transactionAround(this.db)) await this.#journaled?.settled();
  }
}
