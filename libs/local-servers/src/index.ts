/**
 * NATS, Redis and PostgreSQL as processes of our own on this machine: for tests, which also kill, stop and empty them,
 * and for `npm run services`. Ends only what it started. How the servers are used is in the adapters.
 */
export { type Fault, FaultyProxy, faults } from './faulty-proxy.js';
export { freePort } from './free-port.js';
export { type Program, findProgram, requireProgram } from './find-program.js';
export { type LocalServer } from './local-server.js';
export { type NatsServerOptions, startNats } from './start-nats.js';
export { type PostgresServerOptions, startPostgres } from './start-postgres.js';
export { type RedisServerOptions, startRedis } from './start-redis.js';
export { type ProcessSettings, ServerProcess } from './server-process.js';
