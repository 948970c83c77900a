import { type PolicyBundle, type PolicyParser, type PolicyProblem, readPolicyTerms } from '@behalf/policy';
import { type BundleFile, toBundle } from './bundle-files.js';
import { type KnownTool, lintPolicies } from './lint-policies.js';

export interface CandidateDependencies {
  parser: PolicyParser;
  /** Tools that are known to be called, to find those that no policy reaches. */
  tools?: readonly KnownTool[] | undefined;
}

/** Everything that can be said of a bundle before it decides: Cedar's validation, annotations and lint. */
export function checkCandidate(
  files: readonly BundleFile[],
  { parser, tools = [] }: CandidateDependencies,
): { bundle: PolicyBundle | undefined; problems: PolicyProblem[] } {
  let bundle: PolicyBundle;
  try {
    bundle = toBundle(files);
  } catch {
    return {
      bundle: undefined,
      problems: [{ severity: 'error', reason: 'entities.json or links.json is not JSON' }],
    };
  }
  const { policies, problems } = parser.parse(bundle);
  const faults = policies.flatMap(({ id, file, effect, annotations }) =>
    readPolicyTerms(effect, annotations).faults.map((reason) => ({
      severity: 'error' as const,
      file,
      policy: id,
      reason,
    })),
  );
  return { bundle, problems: [...problems, ...faults, ...lintPolicies(policies, tools)] };
}
