import type { PolicyBundle, PolicyProblem } from '@behalf/policy';
import type { PolicySet } from '@cedar-policy/cedar-wasm/nodejs';
import { linkTemplates } from './link-templates.js';
import { type SplitPolicy, splitPolicies } from './split-policies.js';

export interface ReadPolicies {
  /** Those that decide: as they are written, and as links make them of templates. */
  policies: SplitPolicy[];
  problems: PolicyProblem[];
  /** The same as Cedar takes them, templates and links apart. */
  policySet: PolicySet;
}

/** The policies of a bundle. Validates nothing against the schema. */
export function readPolicies(bundle: PolicyBundle): ReadPolicies {
  const split = bundle.policies.map(splitPolicies);
  const written = split.flatMap(({ policies }) => policies);
  const templates = split.flatMap((file) => file.templates);
  const { policies: linked, links, problems } = linkTemplates(templates, bundle.links);
  return {
    policies: [...written, ...linked],
    problems: [
      ...split.flatMap((file) => file.problems),
      ...problems,
      ...findDuplicateIds([...written, ...templates, ...linked]),
    ],
    policySet: {
      staticPolicies: textsById(written),
      templates: textsById(templates),
      templateLinks: links,
    },
  };
}

function textsById(policies: readonly SplitPolicy[]): Record<string, string> {
  return Object.fromEntries(policies.map(({ id, text }) => [id, text]));
}

function findDuplicateIds(policies: readonly SplitPolicy[]): PolicyProblem[] {
  const first = new Map<string, SplitPolicy>();
  return policies.flatMap((policy) => {
    const earlier = first.get(policy.id);
    if (earlier === undefined) return (first.set(policy.id, policy), []);
    return [
      {
        severity: 'error' as const,
        file: policy.file,
        policy: policy.id,
        reason: `the id is used in ${earlier.file}, too`,
      },
    ];
  });
}
