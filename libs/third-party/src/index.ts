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
