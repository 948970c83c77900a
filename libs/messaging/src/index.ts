/**
 * What every bus does alike on both ends of a message: parse what arrives, run the handler or listener away from its
 * caller's context, answer failures without giving anything away, wait no longer than allowed. How messages travel is
 * in the adapters.
 */
export { type Answer, RequestHandler } from './request-handler.js';
export { EventListener } from './event-listener.js';
export { waitWithin } from './wait-within.js';
export { parseJson } from './parse-json.js';
