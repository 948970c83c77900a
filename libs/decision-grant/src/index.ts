/**
 * The paper between the policy service, which decides and stores no credential, and the vault, which stores and decides
 * nothing: a decision, signed, for one use within seconds.
 */
export {
  type DecisionGrant,
  decisionGrantSchema,
  decisionGrantType,
  defaultTenant,
  maxGrantSeconds,
} from './decision-grant.js';
export {
  issueDecisionGrant,
  type IssueDecisionGrantOptions,
  type PermittedUse,
} from './issue-decision-grant.js';
export {
  DecisionGrantRefused,
  verifyDecisionGrant,
  type VerifyDecisionGrantOptions,
} from './verify-decision-grant.js';
