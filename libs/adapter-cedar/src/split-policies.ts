import type { PolicyJson } from '@behalf/cedar-evaluator';
import { policySetTextToParts } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyProblem, PolicySource } from '@behalf/policy';
import { isExpressionTooDeep, isPolicyTextTooDeep } from './check-nesting.js';
import { describeCedarError } from './describe-cedar-error.js';
import { readPolicyJson } from './read-policy-json.js';

export interface SplitPolicy {
  /** What `@id` says, or else `<file>#<n>` for the nth policy of its file. */
  id: string;
  effect: 'permit' | 'forbid';
  file: string;
  text: string;
  json: PolicyJson;
}

/**
 * Splits a file into its policies. Templates are refused: nothing links them yet, and a policy that silently never
 * applies is worse than an error.
 */
export function splitPolicies({ file, text }: PolicySource): {
  policies: SplitPolicy[];
  problems: PolicyProblem[];
} {
  if (isPolicyTextTooDeep(text)) return { policies: [], problems: [problem(file, 'nests too deeply')] };
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
    const read = readPolicyJson(policy);
    if ('errors' in read) {
      problems.push(...read.errors.map((error) => problem(file, describeCedarError(error, policy))));
      continue;
    }
    const { json, annotations } = read;
    const id = annotations['id'] || `${file}#${index + 1}`;
    if (isExpressionTooDeep(json)) problems.push({ ...problem(file, 'nests too deeply'), policy: id });
    policies.push({ id, effect: json.effect, file, text: policy, json });
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
