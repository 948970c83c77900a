/**
 * Cedar behind the `PolicyEngine` port of `@behalf/policy`: the official cedar-wasm parses and validates, and
 * decisions are made by `@behalf/cedar-evaluator` or, as the oracle it is held to, by cedar-wasm itself. Also reads policy bundles from folders and watches them. What a decision means is not decided here.
 */
export { CedarWasmEngine } from './cedar-wasm-engine.js';
export { CompiledCedarEngine } from './compiled-cedar-engine.js';
export {
  type Disagreement,
  type ShadowAnswer,
  type ShadowOptions,
  ShadowedEngine,
} from './shadowed-engine.js';
export { checkPolicyBundle, type CheckedBundle } from './check-policy-bundle.js';
export { type KnownNames, listKnownEntities } from './list-known-entities.js';
export { PolicyBundleUnreadable, loadPolicyBundle } from './load-policy-bundle.js';
export {
  type BundleRefused,
  type PolicyBundleWatch,
  type WatchPolicyBundleOptions,
  watchPolicyBundle,
} from './watch-policy-bundle.js';
export { type ReadPolicies, readPolicies } from './read-policies.js';
export { type SplitPolicy } from './split-policies.js';
