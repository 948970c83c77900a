/**
 * The identity assertion JWT authorization grant (ID-JAG): issued here as the identity provider of another authorization
 * server, and redeemed here when an identity provider that is trusted made it. Whether a presented assertion is signed by
 * its issuer is `@behalf/trusted-issuers`'; what the token endpoint does around it `@behalf/adapter-oidc-provider`'s.
 *
 * @see draft-ietf-oauth-identity-assertion-authz-grant; MCP Enterprise-Managed Authorization
 */
export { grantProfile, idJagClaimsSchema, idJagType, type IdJagClaims } from './id-jag-claims.js';
export { IdJagRefusal, type IdJagRefusalReason, idJagRefusalToOAuthError } from './id-jag-refusal.js';
export { redeemIdJag, type RedemptionClaims } from './redeem-id-jag.js';
export type { AssertionIssuer, RedeemDependencies, RedeemRequest } from './redeem-ports.js';
export { explainIdJag } from './explain-id-jag.js';
export {
  type AssertedSubject,
  issueIdJag,
  type IssueDependencies,
  type IssueResponse,
  type IssueRequest,
  type ResourceServerIssuer,
} from './issue-id-jag.js';
