import type { ParsedPolicy, PolicyBundle, PolicyParser } from '@behalf/policy';
import { spellJson } from './spell-json.js';

export interface BundleDiff {
  added: string[];
  removed: string[];
  /** The text of a policy before and after. */
  changed: { policy: string; before: string; after: string }[];
  schemaChanged: boolean;
  entitiesChanged: boolean;
}

/** What differs between two bundles, policy by policy: moving one to another file, or a space, changes nothing. */
export function diffBundles(before: PolicyBundle, after: PolicyBundle, parser: PolicyParser): BundleDiff {
  const [old, fresh] = [byId(parser.parse(before).policies), byId(parser.parse(after).policies)];
  const meaning = (policy: ParsedPolicy) => spellJson(policy.json);
  return {
    added: [...fresh.keys()].filter((id) => !old.has(id)).sort(),
    removed: [...old.keys()].filter((id) => !fresh.has(id)).sort(),
    changed: [...fresh.values()].flatMap((policy) => {
      const earlier = old.get(policy.id);
      if (earlier === undefined || meaning(earlier) === meaning(policy)) return [];
      return [{ policy: policy.id, before: earlier.text, after: policy.text }];
    }),
    schemaChanged: before.schema !== after.schema,
    entitiesChanged: JSON.stringify(before.entities) !== JSON.stringify(after.entities),
  };
}

export function renderDiff(diff: BundleDiff): string {
  const lines = [
    ...diff.added.map((id) => `+ ${id}`),
    ...diff.removed.map((id) => `- ${id}`),
    ...diff.changed.flatMap(({ policy, before, after }) => [
      `~ ${policy}`,
      ...before.split('\n').map((line) => `    - ${line}`),
      ...after.split('\n').map((line) => `    + ${line}`),
    ]),
    ...(diff.schemaChanged ? ['~ schema.cedarschema'] : []),
    ...(diff.entitiesChanged ? ['~ entities.json'] : []),
  ];
  return lines.length === 0 ? 'no difference' : lines.join('\n');
}

function byId(policies: ParsedPolicy[]): Map<string, ParsedPolicy> {
  return new Map(policies.map((policy) => [policy.id, policy]));
}
