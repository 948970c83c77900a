/**
 * The life of policies: bundles as records with author and reason, what publishing checks, differences, lint, tables of
 * tests, recorded decisions and their replay. Deciding is in `@behalf/policy`, parsing behind its `PolicyParser` port,
 * transports and commands in `apps/policy` and `apps/cli`.
 */
export { type BundleFile, bundleFilesSchema, toBundle, toFiles, versionOfFiles } from './bundle-files.js';
export {
  type Activation,
  type ActivePolicy,
  type BundleRecord,
  activations,
  activePolicies,
  bundles,
} from './bundle-records.js';
export {
  type PublishOptions,
  PolicyRefused,
  publishBundle,
  rollBack,
  seedBundle,
  setShadow,
} from './publish-bundle.js';
export { checkCandidate, type CandidateDependencies } from './check-candidate.js';
export { type BundleDiff, diffBundles, renderDiff } from './diff-bundles.js';
export { type KnownTool, lintPolicies } from './lint-policies.js';
export {
  type Decided,
  type DecisionBatch,
  type KeptDecision,
  decisionBatches,
  formerDecisions,
  openDecisions,
  openFormerDecision,
  sealDecisions,
} from './decision-records.js';
export {
  type Flip,
  type RecordedDecision,
  type ReplayReport,
  renderReplay,
  replayDecisions,
} from './replay-decisions.js';
export { type TableReport, parseTable, runTable } from './policy-table.js';
export { type Outcome, judgeOutcome } from './judge-outcome.js';
