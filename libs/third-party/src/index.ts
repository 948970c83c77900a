/**
 * Third parties as an OAuth client sees them: providers, the authorization request and its callback, refresh,
 * revocation, and credentials that people enter. Where credentials are kept is `@behalf/vault`, whom a person is asked
 * for is `@behalf/elicitation`; how requests travel is a port.
 */
export {
  type McpProvider,
  type OAuthProvider,
  type PrivateJwk,
  type Provider,
  type ProviderClient,
  type ProviderEndpoints,
  type ProviderRevocation,
  type Quirks,
  type StaticProvider,
} from './provider.js';
export {
  type AuthorizationRequest,
  type AuthorizationStart,
  type PendingAuthorization,
  type ProviderTokens,
  type RefreshRequest,
  type RegisteredClient,
  type RevokeRequest,
  type StaticCredentialProbe,
  type ThirdParties,
} from './ports.js';
export { ThirdPartyError, type ThirdPartyErrorOptions, type ThirdPartyProblem } from './third-party-error.js';
export { ThirdPartyClient, type ThirdPartyClientOptions } from './third-party-client.js';
export { type ClientRegistrations } from './client-choice.js';
export { type ClientMetadata, buildClientMetadata } from './client-metadata.js';
export {
  isTransportFailure,
  type OutboundHttp,
  type OutboundRelay,
  type OutboundReply,
  type OutboundRequest,
  type RelayedAnswer,
  type RelayRequest,
  type TransportFailure,
} from './http.js';
export { defaultQuirks, findProvider, resolveProviders } from './resolving/resolve-providers.js';
export { resolveProviderAccess } from './resolving/resolve-access.js';
export { type Preset, presets } from './presets.js';
export {
  type ForwardMethod,
  forwardMethods,
  type ForwardRule,
  type Forwarding,
} from './forwarding/forwarding.js';
export { ForwardRefused, type ForwardRefusal } from './forwarding/forward-refused.js';
export { findForwardRule, type MatchedRule } from './forwarding/find-forward-rule.js';
export { forwardedRequestHeaders, forwardedResponseHeaders } from './forwarding/forward-headers.js';
export { forwardedLocation } from './forwarding/forward-location.js';
export { encodePath, type ForwardTarget, parseForwardTarget } from './forwarding/parse-forward-target.js';
export { type ProviderWebhook } from './webhook/provider-webhook.js';
export {
  type ProviderEvent,
  readWebhook,
  type WebhookMessage,
  WebhookRefused,
} from './webhook/read-webhook.js';
