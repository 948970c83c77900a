/**
 * The OAuth vocabulary every other library speaks: errors, token types, scope sets, actor chains and resource
 * identifiers. No I/O and no clock. Token exchange itself is in `@behalf/token-exchange`, checking a presented
 * access token in `@behalf/resource-server`.
 */
export { OAuthError, oauthErrorCodes, type OAuthErrorCode, type OAuthErrorOptions } from './oauth-error.js';
export { errorTable } from './error-table.js';
export { actsForItself } from './acts-for-itself.js';
export { grantTypes, tokenTypes, type TokenType } from './token-types.js';
export { isScopeText, ScopeSet, parseScope } from './scope-set.js';
export {
  type ActClaim,
  actClaimSchema,
  actorChain,
  actorNames,
  chainDepth,
  encodedChainBytes,
  maxChainBytes,
  maxChainDepth,
  nestActor,
} from './act-chain.js';
export {
  type AuthorizationDetail,
  authorizationDetailSchema,
  authorizationDetailsSchema,
  intersectAuthorizationDetail,
  intersectAuthorizationDetails,
  isWithinDetails,
  parseAuthorizationDetails,
} from './authorization-details.js';
export { type Confirmation, confirmationSchema, isProvenBy } from './confirmation.js';
export { type HandOver, handOver } from './hand-over.js';
export { canonicalResource, protectedResourceMetadataUrl } from './resource-indicator.js';
export { type ScopeHierarchy, coversScopes, leastScopes } from './scope-hierarchy.js';
