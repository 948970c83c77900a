import type { DecisionContext, Evaluation } from '@behalf/contracts';
import { type MappingOptions, buildCedarRequest } from './build-cedar-request.js';
import type { CedarRequest } from './cedar-request.js';
import { isTermsAware } from './conditional-engine.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { type PolicyTerms, isConditional } from './policy-terms.js';
import { type EngineDecision, type PolicyEngine, PolicyEngineError } from './ports.js';

export type Verdict = Pick<DecisionContext, 'reason' | 'policies' | 'errors' | 'policy_version'> & {
  decision: boolean;
};

/** A policy and what it asks before it permits, or before it stops to forbid. */
export interface ConditionalPolicy {
  id: string;
  terms: PolicyTerms;
}

/** What the policies say, before anybody has looked whether conditions are met. */
export interface Judgement {
  verdict: Verdict;
  /** Forbids that have to be lifted, every one of them. */
  required: ConditionalPolicy[];
  /** Of each list one has to have its conditions met. Permits without conditions leave no list. */
  alternatives: ConditionalPolicy[][];
  /** Fields that must not leave with the result: of every permit that matched. */
  redact: string[];
}

/**
 * Asks the engine, and finds out on which conditions its answer depends. For a chain of actors the conditions of every
 * shorter chain add up. A verdict with `decision: false` is final whatever conditions are met.
 *
 * @throws InvalidEvaluation, PolicyEngineError
 */
export function judgeEvaluation(
  evaluation: Evaluation,
  engine: PolicyEngine,
  mapping: MappingOptions,
): Judgement {
  const requests = chainsToAllow(evaluation).map((chain) => buildCedarRequest(chain, mapping));
  const all: Judgement[] = [];
  for (const request of requests) {
    const judgement = judgeRequest(request, engine);
    if (!judgement.verdict.decision) return judgement;
    all.push(judgement);
  }
  const [whole] = all;
  if (whole === undefined) throw new InvalidEvaluation('context.actors', 'is not an actor chain');
  return {
    verdict: whole.verdict,
    required: distinctBy(
      all.flatMap(({ required }) => required),
      ({ id }) => id,
    ),
    alternatives: distinctBy(
      all.flatMap(({ alternatives }) => alternatives),
      idsOf,
    ),
    redact: [...new Set(all.flatMap(({ redact }) => redact))].sort(),
  };
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

function judgeRequest(request: CedarRequest, engine: PolicyEngine): Judgement {
  const answer = engine.decide(request);
  const verdict = interpret(answer);
  if (!isTermsAware(engine)) return final(verdict);
  if (verdict.decision) return withConditions(verdict, [], (id) => engine.termsOf(id));
  const forbids = conditionalPolicies(answer.determining, (id) => engine.termsOf(id));
  const isLiftable =
    verdict.reason === 'forbidden' &&
    forbids.length === answer.determining.length &&
    // A forbid that errs beside those that match denies, too, and nothing lifts it.
    !answer.erring.some(({ effect }) => effect === 'forbid');
  if (!isLiftable) return final(verdict);
  const lifted = interpret(engine.decideLifted(request));
  return lifted.decision ? withConditions(lifted, forbids, (id) => engine.termsOf(id)) : final(lifted);
}

function withConditions(
  verdict: Verdict,
  required: ConditionalPolicy[],
  termsOf: (id: string) => PolicyTerms | undefined,
): Judgement {
  const permits = verdict.policies ?? [];
  const conditional = conditionalPolicies(permits, termsOf);
  const alternatives = conditional.length === permits.length && permits.length > 0 ? [conditional] : [];
  const redact = permits.flatMap((id) => termsOf(id)?.redact ?? []);
  return { verdict, required, alternatives, redact };
}

function conditionalPolicies(
  ids: string[],
  termsOf: (id: string) => PolicyTerms | undefined,
): ConditionalPolicy[] {
  return ids.flatMap((id) => {
    const terms = termsOf(id);
    if (terms === undefined)
      throw new PolicyEngineError('a policy without known terms determined a decision');
    return isConditional(terms) ? [{ id, terms }] : [];
  });
}

function final(verdict: Verdict): Judgement {
  return { verdict, required: [], alternatives: [], redact: [] };
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

function idsOf(policies: ConditionalPolicy[]): string {
  return JSON.stringify(policies.map(({ id }) => id));
}

function distinctBy<T>(values: T[], keyOf: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [keyOf(value), value])).values()];
}
