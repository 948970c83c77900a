/**
 * The bus over NATS: requests in queue groups, events in two JetStream streams. What each service may say and hear is
 * in deploy/nats; the messages are in `@behalf/contracts`.
 */
export { NatsBus, type NatsBusOptions } from './nats-bus.js';
export { eventStreams, eventSubject } from './event-stream.js';
export { againSubject } from './request-server.js';
export { inboxPrefix, type NatsConnectOptions } from './connect-nats.js';
