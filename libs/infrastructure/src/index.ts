/**
 * Opens an adapter for every port: NATS, Redis and PostgreSQL where the environment names them, otherwise the embedded
 * ones, in one process and one folder. The only place that chooses.
 */
export { openInfrastructure, type InfrastructureOptions } from './open-infrastructure.js';
export { runService } from './run-service.js';
export { ServerAddressError, type ServerAddresses, serverAddresses } from './server-addresses.js';
