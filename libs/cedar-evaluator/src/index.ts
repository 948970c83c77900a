/**
 * Cedar's evaluator in TypeScript: policies in Cedar's JSON form compiled to closures and found by their heads. It owns
 * what policies mean and nothing else. Parsing and validating policies is Cedar's own (`@behalf/adapter-cedar`), and
 * what a decision means to Behalf is in `@behalf/policy`.
 */
export {
  CedarEvaluator,
  type ItemJson,
  type RequestJson,
  type RequestList,
  type SharedJson,
} from './cedar-evaluator.js';
export { type NamedPolicy, type PolicyAnswer } from './combine-verdicts.js';
export { type PolicySource } from './compile-policy.js';
export { PolicyNotCompiled } from './code.js';
export { type PartialAnswer, type ResidualPolicy } from './evaluate-partially.js';
export { nestingDepth } from './nesting-depth.js';
export {
  type EntityOrSlotJson,
  type ExpressionJson,
  type PolicyJson,
  type ScopeJson,
  type UidJson,
} from './policy-json.js';
export { printExpression } from './print-expression.js';
export { UnreadableInput } from './unreadable-input.js';
