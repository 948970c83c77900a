/**
 * Who may act for whom: the grants by which people, or administrators, let an agent act at a resource, and the requests
 * that wait for a person. What a token exchange makes of a grant is `@behalf/token-exchange`'s; who an agent is,
 * `@behalf/agent-identity`'s; pages and controllers are the authorization server's.
 */
export {
  DelegationRefusal,
  type DelegationRefusalReason,
  delegationRefusalToOAuthError,
} from './delegation-refusal.js';
export { makeGrant, type WantedGrant } from './make-grant.js';
export { findGrant, type GrantQuestion } from './find-grant.js';
export { getGrant } from './get-grant.js';
export { type GrantFilter, listGrants } from './list-grants.js';
export type { Target } from './change-grant.js';
export { narrowGrant } from './narrow-grant.js';
export { revokeGrant } from './revoke-grant.js';
export { GrantUses } from './note-use.js';
export { requestDelegation, type WantedDelegation } from './request-delegation.js';
export { decideRequest, findRequestFor } from './decide-request.js';
export { pollIntervalSeconds, pollRequest } from './poll-request.js';
export { type DelegationRequest, requestLifetimeSeconds } from './request-records.js';
export type { Act, DelegateAgent, DelegationDependencies, GrantRevocation } from './ports.js';
