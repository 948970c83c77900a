import type { PolicyJson } from '@behalf/cedar-evaluator';
import { policySetTextToParts } from '@cedar-policy/cedar-wasm/nodejs';
import type { PolicyProblem, PolicySource } from '@behalf/policy';
import { isExpressionTooDeep, isPolicyTextTooDeep } from './check-nesting.js';
import { describeCedarError } from './describe-cedar-error.js';
import { readPolicyJson, readTemplateJson } from './read-policy-json.js';

export interface SplitPolicy {
  /** What `@id` says, or else `<file>#<n>` for the nth policy of its file. */
  id: string;
  effect: 'permit' | 'forbid';
  file: string;
  text: string;
  json: PolicyJson;
}

export interface SplitFile {
  policies: SplitPolicy[];
  /** Decide nothing by themselves: see `linkTemplates`. */
  templates: SplitPolicy[];
  problems: PolicyProblem[];
}

/** Splits a file into its policies and templates. A template needs an `@id`, since links name it. */
export function splitPolicies({ file, text }: PolicySource): SplitFile {
  const nothing = { policies: [], templates: [] };
  if (isPolicyTextTooDeep(text)) return { ...nothing, problems: [problem(file, 'nests too deeply')] };
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') {
    return {
      ...nothing,
      problems: parts.errors.map((error) => problem(file, describeCedarError(error, text))),
    };
  }
  const problems: PolicyProblem[] = [];
  const read = (one: string, toJson: typeof readPolicyJson, otherwise: string): SplitPolicy[] => {
    const answer = toJson(one);
    if ('errors' in answer) {
      problems.push(...answer.errors.map((error) => problem(file, describeCedarError(error, one))));
      return [];
    }
    const { json, annotations } = answer;
    const id = annotations['id'] || otherwise;
    if (id === '') problems.push(problem(file, 'a template needs an @id'));
    if (isExpressionTooDeep(json)) problems.push({ ...problem(file, 'nests too deeply'), policy: id });
    return [{ id, effect: json.effect, file, text: one, json }];
  };
  const policies = inFileOrder(parts.policies, text).flatMap((policy, index) =>
    read(policy, readPolicyJson, `${file}#${index + 1}`),
  );
  const templates = parts.policy_templates.flatMap((template) => read(template, readTemplateJson, ''));
  return { policies, templates, problems };
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
