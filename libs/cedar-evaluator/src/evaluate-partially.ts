import type { NamedPolicy } from './combine-verdicts.js';
import type { CompiledPolicy } from './compile-policy.js';
import { demanded } from './partial-logic.js';
import {
  type OpenEnvironment,
  type PartialRun,
  asBooleanOutcomes,
  outcome,
  outcomesOf,
} from './partial-value.js';
import type { ExpressionJson } from './policy-json.js';

/** A policy of which it is not known whether it is satisfied. */
export interface ResidualPolicy extends NamedPolicy {
  /** It is satisfied, not satisfied or errs as this does. */
  readonly condition: ExpressionJson;
  /** False: it is never satisfied. True promises nothing. */
  readonly mayHold: boolean;
  /** False: it is satisfied or errs, whatever the unknown is. */
  readonly mayFail: boolean;
  /** False: it never errs. */
  readonly mayErr: boolean;
}

/** What is known of every policy that applies. The others are not satisfied, whatever the unknown is. */
export interface PartialAnswer {
  satisfied: NamedPolicy[];
  erring: NamedPolicy[];
  residual: ResidualPolicy[];
}

/** Sorts out one policy. */
export function evaluatePartially(
  { id, effect }: CompiledPolicy,
  conditions: PartialRun,
  environment: OpenEnvironment,
  answer: PartialAnswer,
): void {
  const result = conditions(environment);
  const outcomes = asBooleanOutcomes(outcomesOf(result));
  if (outcomes === outcome.true) answer.satisfied.push({ id, effect });
  else if (outcomes === outcome.error) answer.erring.push({ id, effect });
  else if (result.kind === 'residual')
    answer.residual.push({
      id,
      effect,
      condition: demanded(result),
      mayHold: (outcomes & outcome.true) !== 0,
      mayFail: (outcomes & outcome.false) !== 0,
      mayErr: (outcomes & outcome.error) !== 0,
    });
}
