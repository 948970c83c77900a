/**
 * The audit log as events: which records are told, what of them, and how far the telling is. Records are written by
 * every service, and where a log is kept is an adapter's business; so is the bus.
 */
export { activityOf } from './activity-of.js';
export { activityWaiting, relayActivity, type RelayDependencies } from './relay-activity.js';
