import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import type { MappingOptions } from './build-cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { type Verdict, judgeEvaluation } from './judge-evaluation.js';
import type { PolicyEngine } from './ports.js';
import { RequestLists } from './request-lists.js';

export interface DecideDependencies extends MappingOptions {
  engine: PolicyEngine;
  /** A fresh random id: a decision id that could be guessed could be looked up by others. */
  newId: () => string;
  /** Told why, when the answer says no more than `invalid_request` or `policy_error`. */
  onFault?: (fault: { id: string; reason: string; cause: unknown }) => void;
}

/**
 * The one decision: every dialect and transport ends here. It is Cedar's, with two rules on top that only ever deny:
 *
 * 1. a `forbid` that errs denies, since Cedar would skip it and so let an error open a door; a `permit` that errs does
 *    not permit, which is Cedar's own rule. Both are reported.
 * 2. earlier actors only narrow. Whatever is allowed to a chain has to be allowed to it without its earliest actor, and
 *    so on down to the current actor alone; adding an actor therefore never turns a denial into a permission.
 *
 * Conditions of policies (`@scopes`, `@approval`, `@budget`) count as not met here; see `decideWithConditions`.
 *
 * Never throws: what cannot be decided is denied, as `invalid_request` or `policy_error`. Does not authenticate the
 * caller, check the subject or record anything.
 */
export function decideEvaluation(
  evaluation: Evaluation,
  dependencies: DecideDependencies,
): EvaluationDecision {
  const { engine, newId, onFault } = dependencies;
  const id = newId();
  const { decision, ...why } = verdictOn(evaluation, dependencies, (reason, cause) =>
    onFault?.({ id, reason, cause }),
  );
  const version = why.policy_version ?? engine.version;
  return { decision, context: { id, ...why, ...(version !== undefined && { policy_version: version }) } };
}

function verdictOn(
  evaluation: Evaluation,
  dependencies: DecideDependencies,
  report: (reason: string, cause: unknown) => void,
): Verdict {
  try {
    const { verdict, required, alternatives } = judgeEvaluation(
      evaluation,
      new RequestLists(dependencies.engine, dependencies),
    );
    if (!verdict.decision || (required.length === 0 && alternatives.length === 0)) return verdict;
    // There is nobody here to ask whether conditions are met; `decideWithConditions` does that.
    return { ...verdict, decision: false, reason: required.length > 0 ? 'forbidden' : 'no_matching_permit' };
  } catch (cause) {
    const reason = faultReason(cause);
    report(reason, cause);
    return { decision: false, reason, policies: [], errors: [] };
  }
}

/** What an evaluation that cannot be decided is denied as. */
export function faultReason(cause: unknown): 'invalid_request' | 'policy_error' {
  return cause instanceof InvalidEvaluation ? 'invalid_request' : 'policy_error';
}
