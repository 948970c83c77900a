/**
 * Token exchange by RFC 8693, delegation profile, for subject tokens of our own issuer: read `exchange-token.ts` from
 * top to bottom, it follows the order of the specification. Client authentication happens before (in the token
 * endpoint), what a resource does with the issued token after (`@behalf/resource-server`).
 */
export { exchangeToken } from './exchange-token.js';
export { type ExchangeExplanation, explainExchange, explainThirdPartyExchange } from './explain-exchange.js';
export { type ScopeExplanation } from './explain-scope.js';
export { exchangeForThirdParty } from './exchange-for-third-party.js';
export { elicitedParameterNames } from './parse-elicited-request.js';
export type {
  LentToken,
  LentTokenCache,
  ThirdPartyAnswer,
  ThirdPartyDependencies,
  ThirdPartyTarget,
  ThirdPartyTokenResponse,
} from './third-party-ports.js';
export { ExchangeRefusal, type RefusalReason, refusalToOAuthError } from './exchange-refusal.js';
export { type DetailBounds, narrowAuthorizationDetails } from './narrow-authorization-details.js';
export { coversAudience } from './covers-audience.js';
export type {
  DelegationNeed,
  ExchangeCache,
  ExchangeOutcome,
  ExchangeSource,
  MintedToken,
  DelegationGrant,
  DelegationQuery,
  DelegationRequest,
  ExchangeCeiling,
  ExchangeDependencies,
  ExchangeParameters,
  ExchangeRequest,
  ExchangeResponse,
  ExchangeTarget,
  MayAct,
  PendingDelegation,
  RelayedProof,
  RequestingClient,
  SubjectKind,
  SubjectToken,
  TransactionTokenClaims,
  TransactionTokenRules,
  TokenClaims,
} from './ports.js';
