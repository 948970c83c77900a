/**
 * The policy decision core: an AuthZEN evaluation in, a decision with reasons out. It owns the mapping to Cedar's
 * entities and what stands on top of Cedar (errors deny, earlier actors only narrow). Cedar itself is behind the
 * `PolicyEngine` port (`@behalf/adapter-cedar`); transports and audit are in `apps/policy`.
 */
export {
  type EngineDecision,
  type NamedPolicy,
  type ListItem,
  type PartialDecision,
  type PolicyBundle,
  type PossiblePolicy,
  type RequestList,
  type SharedRequest,
  type PolicyEngine,
  PolicyEngineError,
  type PolicyProblem,
  type PolicySource,
} from './ports.js';
export { type CedarEntity, type CedarRequest, type CedarValue, type EntityUid } from './cedar-request.js';
export { InvalidEvaluation } from './invalid-evaluation.js';
export { toCedarValue } from './to-cedar-value.js';
export { type MappingOptions, buildCedarRequest } from './build-cedar-request.js';
export { type DecideDependencies, decideEvaluation } from './decide.js';
export {
  type BatchLimits,
  TooManyEvaluations,
  type UncheckedEvaluations,
  evaluateBatch,
} from './evaluate-batch.js';
export { canonicalJson, digestOf } from '@behalf/i-json';
export {
  type DescribedTool,
  type ToolDefinition,
  describedTool,
  toolDefinitionHash,
} from './tool-definition.js';
export { type NumberForm, typeArguments } from './type-arguments.js';
export {
  type GeneratedTypes,
  type ToolSchema,
  cedarString,
  generateArgumentTypes,
} from './generate-argument-types.js';
export { type ParsedPolicy, type PolicyJson, type PolicyParser, type ScopeJson } from './parsed-policy.js';
export { type PolicyTerms, isConditional, readPolicyTerms } from './policy-terms.js';
export { type Budget } from './read-budgets.js';
export { ConditionalEngine, type TermsAwareList, isTermsAware } from './conditional-engine.js';
export { RequestLists } from './request-lists.js';
export { type BudgetStore, type Expense, MemoryBudgetStore } from './budget-store.js';
export { RecordBudgetStore } from './record-budget-store.js';
export { type CallBinding, bindingOf, bindingToken } from './call-binding.js';
export {
  type ApprovalUse,
  type ConditionDependencies,
  decideWithConditions,
} from './decide-with-conditions.js';
export {
  type AccessRequest,
  ApprovalRefused,
  type ApprovalRefusal,
  type Approver,
  RecordedApprovals,
  accessRequestSchema,
  accessRequestKeys,
  accessRequests,
  decideAccessRequest,
} from './access-requests.js';
export { type ToolPin, checkPin, toolPinId, toolPinSchema, toolPins } from './tool-pins.js';
export { redactResult } from './redact-result.js';
export { type ConditionalPolicy, type Judgement, type Verdict, judgeEvaluation } from './judge-evaluation.js';
