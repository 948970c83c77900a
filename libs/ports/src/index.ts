/**
 * The ports that every adapter fits into: record store, one-time store, cache, bus, clock and signer. Domain
 * libraries depend on these and never on an adapter; each port has one conformance suite in `@behalf/testing`.
 */
export { type Clock, nowSeconds, systemClock } from './clock.js';
export { type Cache } from './cache.js';
export {
  Deadline,
  checkDeadline,
  extendDeadline,
  outsideDeadline,
  timeLeftMs,
  tookTooLong,
  withinDeadline,
} from './deadline.js';
export { type RateLimit, type RateLimiter } from './rate-limiter.js';
export { type EventLog } from './event-log.js';
export { type Lease, type LeaseStore } from './lease-store.js';
export { type ClaimOptions, type OneTimeStore } from './one-time-store.js';
export {
  type ListOptions,
  type NewRecord,
  RecordConflict,
  type RecordKind,
  type RecordReader,
  type RecordStore,
  type RecordTransaction,
  type StoredRecord,
  type WriteOptions,
} from './record-store.js';
export {
  type Bus,
  BusError,
  type BusErrorReason,
  type EventContract,
  type EventEnvelope,
  type EventStream,
  type Publication,
  type RequestContract,
  type RequestOptions,
  type Subscription,
} from './bus.js';
export { type SignOptions, type Signer } from './signer.js';
