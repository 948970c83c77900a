/**
 * How a service runs: configuration loading, Nest bootstrap, HTTP edges, errors, health, logs and shutdown. The only
 * library that knows Nest. It binds no adapter: apps hand in an `Infrastructure`.
 */
export type { PlainRoutes } from './answer-ahead.js';
export {
  AUDIT_LOG,
  EVENT_LOG,
  BUS,
  CLOCK,
  CONFIG,
  KEY_ENCRYPTION_KEY,
  LOGGER,
  ONE_TIME_STORE,
  RATE_LIMITER,
  RECORD_STORE,
  SHARED_CACHE,
} from './tokens.js';
export { type Infrastructure, InfrastructureModule } from './infrastructure.module.js';
export { bootstrapService, type RunningService, type ServiceOptions } from './bootstrap-service.js';
export { ConfiguredSecret, ConfiguredSecretError } from './configured-secret.js';
export { type Logger, createLogger } from './logger.js';
export { deadlineGraceMs } from './limit-requests.js';
export { loadConfig } from './load-config.js';
export { nameRoute } from './measure-requests.js';
export { OAuthErrorFilter } from './oauth-error.filter.js';
export { PageErrorFilter } from './page-error.filter.js';
export { sendPage } from './send-page.js';
export {
  READINESS,
  type Readiness,
  type ServerChecks,
  type ServerName,
  ServiceHealth,
  type StandsOn,
} from './service-health.js';
export { readBody, readFormBody, readJsonBody, readRequestBody } from './read-body.js';
export { runUntilSignal } from './run-until-signal.js';
export { type ApiOperation, buildOpenApi, type OpenApiOptions } from './build-open-api.js';
