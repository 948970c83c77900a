/**
 * Every port embedded in this process: the default for what may be lost with it (one-time state, caches, messages),
 * and for tests a record store. What must survive a restart is in `@behalf/adapter-postgres`.
 */
export { MemoryOneTimeStore, type MemoryOneTimeStoreOptions } from './memory-one-time-store.js';
export { MemoryLeaseStore } from './memory-lease-store.js';
export { MemoryCache, type MemoryCacheOptions } from './memory-cache.js';
export { MemoryRateLimiter } from './memory-rate-limiter.js';
export { MemoryEventLog } from './memory-event-log.js';
export { MemoryRecordStore, type MemoryRecordStoreOptions } from './memory-record-store.js';
export { InProcessBus, type InProcessBusOptions } from './in-process-bus.js';
export { ResidentRecords, type ResidentRecordsOptions } from './resident-records.js';
