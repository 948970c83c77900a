import { randomUUID } from 'node:crypto';
import type { AuditLog, AuditRecord } from './audit-record.js';

/** Whoever does not come back for a record has given up long ago when so many others have come since. */
const maxUnclaimed = 10_000;

const shared = new WeakMap<object, RecordsAhead>();

/**
 * Records that one part of a process has begun to write, and that another part has to see durable before it answers for
 * both: so what one leads to the other shares its commit. Nothing is lost by it: a record is on its way before anybody
 * hears of it, and whoever cannot learn that it is durable is refused.
 */
export class RecordsAhead {
  /** Known only to who has this very log: a program elsewhere could not see what is written here. */
  readonly id = randomUUID();
  readonly #begun = new Map<string, Promise<void>>();

  private constructor(private readonly log: Pick<AuditLog, 'append'>) {}

  /** Of a log: the same for all who have it. */
  static of(log: Pick<AuditLog, 'append'>): RecordsAhead {
    const known = shared.get(log) ?? new RecordsAhead(log);
    shared.set(log, known);
    return known;
  }

  /** Begins to write. @returns a ticket, for one who will wait for it */
  begin(record: AuditRecord): string {
    const ticket = randomUUID();
    const writing = this.log.append(record);
    // Whether anybody waits is not known; who does is told.
    writing.catch(() => {});
    this.#begun.set(ticket, writing);
    if (this.#begun.size > maxUnclaimed) this.#begun.delete(this.#begun.keys().next().value!);
    return ticket;
  }

  /** Resolves when the record is durable, once for each ticket. Rejects when it could not be written, or is not known. */
  async settled(ticket: string): Promise<void> {
    const writing = this.#begun.get(ticket);
    this.#begun.delete(ticket);
    if (writing === undefined) throw new Error('no such record was begun');
    await writing;
  }
}
