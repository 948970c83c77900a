import { type AuditLog, type AuditRecord, auditRecordSchema } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import { sql } from 'kysely';
import { setImmediate } from 'node:timers/promises';
import type { Database } from './database.js';
import { outsideTransaction, transactionAround } from './open-transaction.js';

/** In one commit. More take longer than a caller likes to wait. */
const maxRowsPerInsert = 500;

export interface SqlAuditLogOptions {
  /** Records that may wait for the database. More are refused: what cannot be recorded must not happen. */
  maxWaiting: number;
}

interface Waiting {
  readonly record: AuditRecord;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The append-only audit log. Records that arrive while one INSERT runs share the next one (group commit), so a busy
 * system pays for one commit per batch; each `append` still resolves only when its own record is durable.
 *
 * Inside a record transaction the record becomes part of it: it is kept if, and only if, that commits. A refusal that
 * ends a transaction has to be recorded after it.
 */
export class SqlAuditLog implements AuditLog {
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #taken = 0;

  constructor(
    private readonly db: Database,
    private readonly options: SqlAuditLogOptions,
  ) {}

  /** @throws OAuthError `temporarily_unavailable` when too many records wait already */
  async append(record: AuditRecord): Promise<void> {
    const parsed = auditRecordSchema.parse(record);
    const transaction = transactionAround(this.db);
    if (transaction) return insert(transaction, [parsed]);
    if (this.#waiting.length + this.#taken >= this.options.maxWaiting) {
      throw new OAuthError('temporarily_unavailable', 'the audit log cannot keep up', {
        retryAfterSeconds: 1,
      });
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ record: parsed, resolve, reject });
    this.#flushing ??= outsideTransaction(() => this.#flush());
    return promise;
  }

  async latest(limit: number): Promise<AuditRecord[]> {
    const rows = await (transactionAround(this.db) ?? this.db)
      .selectFrom('audit_records')
      .select('record')
      .orderBy('position', 'desc')
      .limit(limit)
      .execute();
    return rows.map(({ record }) => auditRecordSchema.parse(record));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#flushing;
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Whoever is being served right now gets to add a record of their own: one commit more costs more than this wait.
      await setImmediate();
      const batch = this.#waiting.splice(0, maxRowsPerInsert);
      this.#taken = batch.length;
      await this.#write(batch);
      this.#taken = 0;
    }
    this.#flushing = undefined;
  }

  async #write(batch: Waiting[]): Promise<void> {
    try {
      await insert(
        this.db,
        batch.map(({ record }) => record),
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const [only, ...rest] = batch;
      if (rest.length === 0 || !isDataException(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One record that the database cannot hold (a NUL in a tool's name, say) must not take the others with it.
      for (const one of [only, ...rest]) if (one) await this.#write([one]);
    }
  }
}

/** One statement, however many there are: the database parses and plans it once. */
async function insert(db: Database, records: AuditRecord[]): Promise<void> {
  await sql`
    insert into audit_records (type, outcome, occurred_at_ms, record)
    select one ->> 'type', one ->> 'outcome', (one ->> 'occurredAtMs')::bigint, one
    from jsonb_array_elements(${JSON.stringify(records)}::jsonb) with ordinality as given(one, nth)
    order by nth`.execute(db);
}

/** @see PostgreSQL, appendix A, class 22 */
function isDataException(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('22');
}
