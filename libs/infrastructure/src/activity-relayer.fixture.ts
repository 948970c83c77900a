/** The relay as a process of its own, for tests that kill it. */
import { MemoryLeaseStore } from '@behalf/adapter-memory';
import { NatsBus } from '@behalf/adapter-nats';
import { SqlAuditLog, SqlRecordStore, openPostgres } from '@behalf/adapter-postgres';
import { systemClock } from '@behalf/ports';
import { ActivityRelay } from './activity-relay.js';

const { database, nats } = JSON.parse(process.env['ACTIVITY_RELAYER'] ?? '') as Record<string, string>;
const { db } = openPostgres(database!, { name: 'relayer' });
const bus = await NatsBus.open({ url: nats!, service: 'relayer', maxInFlight: 10, ownsEvents: true });
const relay = new ActivityRelay({
  service: 'test',
  leaves: new SqlAuditLog(db, { maxWaiting: 1 }),
  records: new SqlRecordStore(db, systemClock),
  bus,
  origin: 'as.example/audit',
  leases: new MemoryLeaseStore(systemClock),
  clock: systemClock,
  logger: { error: (said: object) => process.send?.(JSON.stringify(said)) },
});
relay.start();
