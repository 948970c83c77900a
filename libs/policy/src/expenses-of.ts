import type { Evaluation } from '@behalf/contracts';
import type { Expense } from './budget-store.js';
import { buildActors } from './build-actors.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import type { PolicyBudget } from './merge-terms.js';
import type { BudgetSubject } from './read-budgets.js';

/**
 * What an evaluation would spend of each budget. The agent is the current actor, by the name that policies know it by.
 * What it costs is `context.cost`, a whole number that the caller knows.
 *
 * @throws InvalidEvaluation when a budget counts costs and the evaluation has none: free calls are not assumed
 */
export function expensesOf(
  budgets: PolicyBudget[],
  evaluation: Evaluation,
  ownIssuer: string | undefined,
): Expense[] {
  return budgets.map((budget) => ({
    key: JSON.stringify([
      budget.policy,
      budget.unit,
      budget.limit,
      ...budget.per.map((subject) => [subject, nameOf(subject, evaluation, ownIssuer)]),
    ]),
    amount: budget.unit === 'calls' ? 1 : costOf(evaluation),
    limit: budget.limit,
    windowMs: budget.windowMs,
  }));
}

function nameOf(
  subject: BudgetSubject,
  { subject: person, resource, context }: Evaluation,
  ownIssuer: string | undefined,
): string {
  const server = resource.properties?.['server'] ?? context?.['server'] ?? '';
  if (subject === 'person') return person.id;
  if (subject === 'agent') return buildActors(context?.['actors'], ownIssuer)[0]?.uid.id ?? '';
  if (subject === 'server') return JSON.stringify(server);
  return JSON.stringify([server, resource.type, resource.id]);
}

function costOf({ context }: Evaluation): number {
  const cost = context?.['cost'];
  if (!Number.isSafeInteger(cost) || (cost as number) < 0)
    throw new InvalidEvaluation('context.cost', 'must be a whole number');
  return cost as number;
}
