/**
 * One writer of the audit log as a process of its own, for tests that kill it. What it was told is durable it notes
 * down at once, a line each, where it outlives the process.
 */
import { appendFileSync } from 'node:fs';
import type { AuditRecord } from '@behalf/audit';
import { systemClock } from '@behalf/ports';
import { z } from 'zod';
import { SqlAuditLog, SqlRecordStore, openPglite, openPostgres } from './index.js';

export interface AuditWriterSetup {
  /** Of a server, or a folder, beside which the journal is. */
  database: string;
  name: string;
  /** Records of each of so many callers at once; they never end without it. */
  callers: number;
  records?: number;
  acknowledged: string;
}

const counter = { name: 'audit-counter', schema: z.object({ n: z.number() }) };
const setup = JSON.parse(process.env['AUDIT_WRITER'] ?? '') as AuditWriterSetup;
const { database, name, callers, records = Infinity } = setup;
const isServer = database.startsWith('postgres:');
const opened = isServer ? openPostgres(database, { name }) : await openPglite(database);
const log = isServer
  ? new SqlAuditLog(opened.db, { maxWaiting: callers })
  : await SqlAuditLog.openJournaled(opened.db, `${database}.journal`, { maxWaiting: callers });
const store = new SqlRecordStore(opened.db, systemClock);
let refused = 0;

async function call(caller: number): Promise<void> {
  for (let n = 0; n < records; n++) {
    const client = `${name}-${caller}-${n}`;
    const record: AuditRecord = { type: 'exchange', outcome: 'allowed', occurredAtMs: Date.now(), client };
    try {
      // Every fifth with a change.
      if (n % 5 === 4)
        await store.transaction(async (transaction) => {
          await transaction.put(counter, `${name}-${caller}`, { n });
          await log.append(record);
        });
      else await log.append(record);
      appendFileSync(setup.acknowledged, `${client}\n`);
    } catch {
      refused++;
    }
  }
}

process.send?.('started');
await Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
await log.close();
await opened.close();
process.send?.({ refused });
process.disconnect();
