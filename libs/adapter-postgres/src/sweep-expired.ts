import { sql } from 'kysely';
import type { Database } from './database.js';

/** Rows per statement, so that a long sweep does not hold up everybody else on a single connection. */
const rowsPerDelete = 1000;

export interface SweepOptions {
  nowMs: number;
  /** Published events younger than this stay, for whoever wants to look. */
  keepPublishedMs: number;
}

/**
 * Deletes records whose time is over, which read as absent already, and events published long ago. Never touches the
 * audit log.
 */
export async function sweepExpired(
  db: Database,
  { nowMs, keepPublishedMs }: SweepOptions,
): Promise<{ records: number; events: number }> {
  const records = await untilNoneAreLeft(async () => {
    const { numAffectedRows } = await sql`
      delete from records where ctid = any(array(
        select ctid from records where expires_at_ms <= ${nowMs} limit ${rowsPerDelete}))`.execute(db);
    return Number(numAffectedRows ?? 0);
  });
  const events = await untilNoneAreLeft(async () => {
    const { numAffectedRows } = await sql`
      delete from outbox where position = any(array(
        select position from outbox where published_at_ms <= ${nowMs - keepPublishedMs} limit ${rowsPerDelete}))`.execute(
      db,
    );
    return Number(numAffectedRows ?? 0);
  });
  return { records, events };
}

async function untilNoneAreLeft(deleteSome: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let deleted = rowsPerDelete; deleted === rowsPerDelete; total += deleted) deleted = await deleteSome();
  return total;
}
