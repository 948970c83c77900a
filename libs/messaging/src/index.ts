/**
 * What every bus does alike on both ends of a message: parse what arrives, run the handler or listener away from its
 * caller's context, answer failures without giving anything away, wait no longer than allowed; and how to do something
 * about every event, also of those that were told while nobody listened. How messages travel is in the adapters.
 */
export { type Answer, RequestHandler } from './request-handler.js';
export {
  EventFollower,
  type EventFollowerOptions,
  type EventFollowerPorts,
  type EventReaction,
  reactTo,
} from './event-follower.js';
export { EventListener } from './event-listener.js';
export { waitWithin } from './wait-within.js';
export { parseJson } from './parse-json.js';
