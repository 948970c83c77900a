/**
 * Everything that must never be lost, in SQL: records, the transactional outbox and its relay, and the audit log; with
 * the migrations that make their tables. The same SQL runs on the embedded PGlite and on a PostgreSQL server.
 */
export { type Database, type Tables } from './database.js';
export { FolderInUse } from './lock-folder.js';
export { migrate } from './migrate.js';
export { type OpenedDatabase, openPglite } from './open-pglite.js';
export { type OpenedPostgres, type PostgresOptions, openPostgres } from './open-postgres.js';
export { OutboxRelay, type OutboxRelayOptions } from './outbox-relay.js';
export { SqlAuditLog, type SqlAuditLogOptions } from './sql-audit-log.js';
export { SqlEventLog } from './sql-event-log.js';
export { SqlRecordStore, type SqlRecordStoreOptions } from './sql-record-store.js';
export { sweepExpired, type SweepOptions } from './sweep-expired.js';
