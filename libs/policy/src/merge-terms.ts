import type { Judgement } from './judge-evaluation.js';
import type { Budget } from './read-budgets.js';

/** One way to have a judgement permitted: everything that has to be met together. */
export interface Demand {
  policies: string[];
  scopes: string[];
  approval: 'human' | 'other-human' | undefined;
  /** Each policy counts for itself, also when two say the same. */
  budgets: PolicyBudget[];
}

export interface PolicyBudget extends Budget {
  policy: string;
}

/** A bundle whose permits multiply beyond this is denied rather than searched. */
const maxDemands = 256;

/**
 * Every way in which the conditions of a judgement can be met, the easiest first: less scope, no approval, fewer
 * budgets. Empty when there are more than anybody should search.
 */
export function demandsOf({ required, alternatives }: Judgement): Demand[] {
  let demands: Demand[] = [{ policies: [], scopes: [], approval: undefined, budgets: [] }];
  for (const list of [...required.map((one) => [one]), ...alternatives]) {
    if (demands.length * list.length > maxDemands) return [];
    demands = demands.flatMap((demand) =>
      list.map(({ id, terms }) =>
        merge(demand, {
          ...terms,
          policies: [id],
          budgets: terms.budgets.map((budget) => ({ ...budget, policy: id })),
        }),
      ),
    );
  }
  return demands.sort(compare);
}

function merge(one: Demand, other: Demand): Demand {
  return {
    policies: union(one.policies, other.policies),
    scopes: union(one.scopes, other.scopes),
    approval: [one.approval, other.approval].includes('other-human')
      ? 'other-human'
      : (one.approval ?? other.approval),
    budgets: [...new Map([...one.budgets, ...other.budgets].map((b) => [JSON.stringify(b), b])).values()],
  };
}

function compare(one: Demand, other: Demand): number {
  return (
    one.scopes.length - other.scopes.length ||
    Number(one.approval !== undefined) - Number(other.approval !== undefined) ||
    one.budgets.length - other.budgets.length ||
    (one.scopes.join(' ') < other.scopes.join(' ') ? -1 : 1)
  );
}

function union(one: string[], other: string[]): string[] {
  return [...new Set([...one, ...other])].sort();
}
