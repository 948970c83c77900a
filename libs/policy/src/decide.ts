import type { DecisionContext, Evaluation, EvaluationDecision } from '@behalf/contracts';
import { type MappingOptions, buildCedarRequest } from './build-cedar-request.js';
import type { CedarRequest } from './cedar-request.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import type { EngineDecision, PolicyEngine } from './ports.js';

export interface DecideDependencies extends MappingOptions {
  engine: PolicyEngine;
  /** A fresh random id: a decision id that could be guessed could be looked up by others. */
  newId: () => string;
  /** Told why, when the answer says no more than `invalid_request` or `policy_error`. */
  onFault?: (fault: { id: string; reason: string; cause: unknown }) => void;
}

type Verdict = Pick<DecisionContext, 'reason' | 'policies' | 'errors' | 'policy_version'> & {
  decision: boolean;
};

/**
 * The one decision: every dialect and transport ends here. It is Cedar's, with two rules on top that only ever deny:
 *
 * 1. a `forbid` that errs denies, since Cedar would skip it and so let an error open a door; a `permit` that errs does
 *    not permit, which is Cedar's own rule. Both are reported.
 * 2. earlier actors only narrow. Whatever is allowed to a chain has to be allowed to it without its earliest actor, and
 *    so on down to the current actor alone; adding an actor therefore never turns a denial into a permission.
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
  { engine, ownIssuer, resourceTypes }: DecideDependencies,
  report: (reason: string, cause: unknown) => void,
): Verdict {
  try {
    const requests = chainsToAllow(evaluation).map((chain) =>
      buildCedarRequest(chain, { ownIssuer, resourceTypes }),
    );
    return allAllow(requests, engine);
  } catch (cause) {
    const reason = cause instanceof InvalidEvaluation ? 'invalid_request' : 'policy_error';
    report(reason, cause);
    return { decision: false, reason, policies: [], errors: [] };
  }
}

/** The evaluation itself, then the same with ever fewer earlier actors. */
function chainsToAllow(evaluation: Evaluation): Evaluation[] {
  const actors = evaluation.context?.['actors'];
  if (!Array.isArray(actors) || actors.length < 2) return [evaluation];
  return actors.map((_, dropped) => ({
    ...evaluation,
    context: { ...evaluation.context, actors: actors.slice(0, actors.length - dropped) },
  }));
}

/** The verdict on the whole chain, unless a shorter one is denied. */
function allAllow(requests: CedarRequest[], engine: PolicyEngine): Verdict {
  let whole: Verdict | undefined;
  for (const request of requests) {
    const verdict = interpret(engine.decide(request));
    if (!verdict.decision) return verdict;
    whole ??= verdict;
  }
  if (whole === undefined) throw new InvalidEvaluation('context.actors', 'is not an actor chain');
  return whole;
}

function interpret({ decision, determining, erring, policyVersion }: EngineDecision): Verdict {
  const errors = erring.map((policy) => policy.id);
  const erringForbids = erring.filter((policy) => policy.effect === 'forbid').map((policy) => policy.id);
  const report = { policies: determining, errors, policy_version: policyVersion };
  if (decision === 'deny' && determining.length > 0)
    return { decision: false, reason: 'forbidden', ...report };
  if (erringForbids.length > 0)
    return { decision: false, reason: 'policy_error', ...report, policies: erringForbids };
  if (decision === 'deny') return { decision: false, reason: 'no_matching_permit', ...report };
  return { decision: true, reason: 'permitted', ...report };
}
