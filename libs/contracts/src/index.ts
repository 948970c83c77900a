/**
 * Every subject and event of the bus, once, as zod. Types are inferred from here and never written twice.
 * The bus itself is a port (`@behalf/ports`); this library does not know how messages travel.
 */
export { defineEvent, defineRequest, type DescribedEvent } from './define.js';
export { eventCatalogue, events } from './event-catalogue.js';
export {
  type DecisionContext,
  type Evaluation,
  type EvaluationDecision,
  type EvaluationsDecision,
  type EvaluationsRequest,
  type Obligation,
  decisionContextSchema,
  decisionReasonSchema,
  evaluatePolicyBatch,
  evaluationSchema,
  evaluationDecisionSchema,
  evaluationsRequestSchema,
  evaluationsDecisionSchema,
  listDecisionGrantKeys,
  obligationSchema,
  obligationTypes,
} from './policy.js';
export { type PolicyAnswer, type PolicyQuestion, evaluatePolicy } from './evaluate-policy.js';
export { parseEvaluation, parseEvaluationPart } from './parse-evaluation.js';
export {
  type CreateRevocationRequest,
  createRevocationRequestSchema,
  type Revocation,
  type RevocationKind,
  listRevocations,
  revocationCreated,
  revocationKinds,
  revocationSchema,
} from './revocations.js';
export {
  clientRegistered,
  decisionMade,
  tokenExchanged,
  tokenIssued,
  tokenRefused,
  tokenRequests,
} from './activity.js';
export { auditCheckpointSigned } from './audit.js';
export { connectionChanged, consentWithdrawn, vaultAlarmed } from './connections.js';
export {
  type ElicitationOffer,
  type ElicitationStatus,
  type ElicitedRequest,
  describeChain,
  elicitationChanged,
  elicitationOfferSchema,
  elicitationStatuses,
  elicitedRequestSchema,
  endThirdPartyAccount,
  requestThirdPartyToken,
  type ThirdPartyTokenRequest,
  thirdPartyTokenRequestSchema,
} from './elicitation.js';
export { policyChanged, signingKeysRotated, toolPinsChanged } from './events.js';
export {
  accessRequestSubmissionSchema,
  accessRequestTaskSchema,
  approvalDecisionSchema,
  bundleListSchema,
  candidateRequestSchema,
  changeAnswerSchema,
  checkAnswerSchema,
  diffAnswerSchema,
  policyProblemSchema,
  publishRequestSchema,
  readAccessRequest,
  replayAnswerSchema,
  replayRequestSchema,
  requestAccess,
  rollbackRequestSchema,
  shadowAnswerSchema,
  shadowRequestSchema,
  toolPinRequestSchema,
} from './policy-admin.js';
export {
  addAgentKeyRequestSchema,
  type Agent,
  type AgentCeiling,
  agentCeilingSchema,
  agentChanged,
  agentCreated,
  agentListSchema,
  type AgentRecord,
  agentRecordSchema,
  agentResumed,
  agentRetired,
  agentSchema,
  type AgentState,
  agentStates,
  agentSuspended,
  changeAgentStateRequestSchema,
  type CreateAgentRequest,
  createAgentRequestSchema,
  type PublicJwk,
  publicJwkSchema,
  type UpdateAgentRequest,
  updateAgentRequestSchema,
} from './agents.js';
export {
  type CreateDelegationGrantRequest,
  createDelegationGrantRequestSchema,
  type DelegationGrant,
  delegationGrantListSchema,
  delegationGrantMade,
  delegationGrantNarrowed,
  type DelegationGrantOrigin,
  type DelegationGrantRecord,
  delegationGrantRecordSchema,
  delegationGrantRenewed,
  delegationGrantRevoked,
  delegationGrantSchema,
  type NarrowDelegationGrantRequest,
  narrowDelegationGrantRequestSchema,
} from './delegation-grants.js';
export {
  type AgentCredential,
  agentCredentialSchema,
  type AgentSecret,
  agentSecretSchema,
  type KeptAgentCredential,
} from './agent-credentials.js';
export { listenerAccess, type ListenerName, listenerNames } from './listener-access.js';
export { type ServiceAccess, serviceAccess, type ServiceName, serviceNames } from './service-access.js';
export {
  type ExchangeExplanation,
  exchangeExplanationSchema,
  type ExplainExchangeRequest,
  explainExchangeRequestSchema,
} from './explain-exchange.js';
export {
  type ConnectionHealth,
  connectionHealthListSchema,
  connectionHealthSchema,
  type EndedConnection,
  endedConnectionListSchema,
  endedConnectionSchema,
  offBoardRequestSchema,
  type PlantDecoyRequest,
  plantDecoyRequestSchema,
  plantedDecoySchema,
  rewrapRunSchema,
} from './vault-admin.js';
