/**
 * Cedar behind the `PolicyEngine` port of `@behalf/policy`: the official cedar-wasm parses, validates and evaluates.
 * Also reads policy bundles from folders and watches them. What a decision means is not decided here.
 */
export { CedarWasmEngine } from './cedar-wasm-engine.js';
export { checkPolicyBundle, type CheckedBundle } from './check-policy-bundle.js';
export { type KnownNames, listKnownEntities } from './list-known-entities.js';
export { PolicyBundleUnreadable, loadPolicyBundle } from './load-policy-bundle.js';
export {
  type BundleRefused,
  type PolicyBundleWatch,
  type WatchPolicyBundleOptions,
  watchPolicyBundle,
} from './watch-policy-bundle.js';
