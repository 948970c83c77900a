import type { Database } from '@behalf/adapter-postgres';
import { attributes } from '@behalf/telemetry';
import { metrics } from '@opentelemetry/api';
import type { MigratedDatabase } from './open-database.js';

/** What a reading of the metrics asks the database, and its pool. */
export function measureDatabase(
  { db, pool }: Pick<MigratedDatabase, 'db' | 'pool'>,
  { service, relays }: { service: string; relays: boolean },
): void {
  const by = { [attributes.serviceName]: service };
  const meter = metrics.getMeter('behalf');
  if (relays) {
    meter
      .createObservableGauge('behalf.outbox.waiting', { description: 'Events that are not published yet' })
      .addCallback(async (result) => {
        // A database that is away is seen by other means.
        const waiting = await countWaiting(db).catch(() => undefined);
        if (waiting !== undefined) result.observe(waiting, by);
      });
  }
  if (pool) {
    meter
      .createObservableGauge('behalf.database.pool', {
        description: 'Connections, and callers waiting for one',
      })
      .addCallback((result) => {
        for (const [state, count] of Object.entries(pool())) result.observe(count, { ...by, state });
      });
  }
}

async function countWaiting(db: Database): Promise<number> {
  const { waiting } = await db
    .selectFrom('outbox')
    .select(({ fn }) => fn.countAll().as('waiting'))
    .where('published_at_ms', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(waiting);
}
