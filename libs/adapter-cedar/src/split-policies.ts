import { policySetTextToParts, policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyProblem, PolicySource } from '@behalf/policy';
import { describeCedarError } from './describe-cedar-error.js';

export interface SplitPolicy {
  /** What `@id` says, or else `<file>#<n>` for the nth policy of its file. */
  id: string;
  effect: 'permit' | 'forbid';
  file: string;
  text: string;
}

/**
 * Splits a file into its policies. Templates are refused: nothing links them yet, and a policy that silently never
 * applies is worse than an error.
 */
export function splitPolicies({ file, text }: PolicySource): {
  policies: SplitPolicy[];
  problems: PolicyProblem[];
} {
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') {
    return {
      policies: [],
      problems: parts.errors.map((error) => problem(file, describeCedarError(error, text))),
    };
  }
  const problems: PolicyProblem[] = parts.policy_templates.map(() =>
    problem(file, 'templates are not supported'),
  );
  const policies: SplitPolicy[] = [];
  for (const [index, policy] of inFileOrder(parts.policies, text).entries()) {
    const parsed = policyToJson(policy);
    if (parsed.type === 'failure') {
      problems.push(...parsed.errors.map((error) => problem(file, describeCedarError(error, policy))));
      continue;
    }
    const id = parsed.json.annotations?.['id'] || `${file}#${index + 1}`;
    policies.push({ id, effect: parsed.json.effect, file, text: policy });
  }
  return { policies, problems };
}

/** cedar-wasm returns policies sorted by internal name (policy0, policy1, policy10, policy2 ...). */
function inFileOrder(policies: string[], text: string): string[] {
  const searchFrom = new Map<string, number>();
  const placed = policies.map((policy) => {
    const at = text.indexOf(policy, searchFrom.get(policy) ?? 0);
    searchFrom.set(policy, at + policy.length);
    return { at, policy };
  });
  return placed.sort((one, other) => one.at - other.at).map(({ policy }) => policy);
}

function problem(file: string, reason: string): PolicyProblem {
  return { severity: 'error', file, reason };
}
