/**
 * The one configuration file: its zod schema, and what follows from it. Reading files and the environment is
 * `@behalf/service-kit`'s part; here is only the shape. Secrets are named (`secretEnv`), never written down, except in
 * a demo configuration, which is refused in production.
 */
export { type BehalfConfig, configSchema } from './config-schema.js';
export {
  type AuthorizationDetailsType,
  type AuthorizationServerConfig,
  type ClientConfig,
} from './authorization-server-config.js';
export { backchannelUrl } from './backchannel-url.js';
export { type ElicitationConfig } from './elicitation-config.js';
export { type GatewayConfig, type UpstreamConfig } from './gateway-config.js';
export { type PolicyConfig } from './policy-config.js';
export { type Listen } from './listen.js';
export {
  forwardResource,
  forwardScope,
  type ProtectedResource,
  protectedResources,
  upstreamResource,
} from './protected-resources.js';
export { configReference } from './config-reference.js';
export { ConfigError, parseConfig } from './parse-config.js';
export { type SignalTransmitterConfig } from './shared-signals-config.js';
export { type TrustedIssuerConfig } from './trusted-issuers-config.js';
export {
  type ProviderConfig,
  type ProviderQuirks,
  identitySchema,
  providerQuirksSchema,
} from './provider-config.js';
export { type VaultKeyConfig } from './vault-config.js';
export { webhookShapeSchema } from './webhook-config.js';
