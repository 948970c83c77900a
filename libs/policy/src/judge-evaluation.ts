import type { DecisionContext, Evaluation } from '@behalf/contracts';
import { isTermsAware } from './conditional-engine.js';
import { InvalidEvaluation } from './invalid-evaluation.js';
import { type PolicyTerms, isConditional } from './policy-terms.js';
import { judgePreview, maxResiduals } from './judge-preview.js';
import { type EngineDecision, PolicyEngineError } from './ports.js';
import { type ListedRequest, type RequestLists, areArgumentsOpen } from './request-lists.js';

export type Verdict = Pick<
  DecisionContext,
  'reason' | 'policies' | 'errors' | 'policy_version' | 'residuals'
> & {
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
 * A preview without arguments is answered with what could be permitted with some, see `judgePreview`.
 *
 * @throws InvalidEvaluation, PolicyEngineError
 */
export function judgeEvaluation(evaluation: Evaluation, lists: RequestLists): Judgement {
  const judge = areArgumentsOpen(evaluation) ? judgePreview : judgeRequest;
  const requests = lists.of(evaluation);
  const [only] = requests;
  if (only !== undefined && requests.length === 1) return judge(only);
  const all: Judgement[] = [];
  for (const request of requests) {
    const judgement = judge(request);
    if (!judgement.verdict.decision) return judgement;
    all.push(judgement);
  }
  const [whole] = all;
  if (whole === undefined) throw new InvalidEvaluation('context.actors', 'is not an actor chain');
  return addUp(whole, all);
}

function addUp(whole: Judgement, all: readonly Judgement[]): Judgement {
  const residuals = distinctBy(
    all.flatMap(({ verdict }) => verdict.residuals ?? []),
    ({ policy, when }) => JSON.stringify([policy, when]),
  );
  return {
    verdict: {
      ...whole.verdict,
      ...(residuals.length > 0 && { residuals: residuals.slice(0, maxResiduals) }),
    },
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

function judgeRequest({ list, item }: ListedRequest): Judgement {
  const answer = list.decide(item);
  const verdict = interpret(answer);
  if (!isTermsAware(list)) return final(verdict);
  if (verdict.decision) return withConditions(verdict, [], list.termsOf);
  const forbids = conditionalPolicies(answer.determining, list.termsOf);
  const isLiftable =
    verdict.reason === 'forbidden' &&
    forbids.length === answer.determining.length &&
    // A forbid that errs beside those that match denies, too, and nothing lifts it.
    !answer.erring.some(({ effect }) => effect === 'forbid');
  if (!isLiftable) return final(verdict);
  const lifted = interpret(list.decideLifted(item));
  return lifted.decision ? withConditions(lifted, forbids, list.termsOf) : final(lifted);
}

function withConditions(
  verdict: Verdict,
  required: ConditionalPolicy[],
  termsOf: (id: string) => PolicyTerms | undefined,
): Judgement {
  const permits = verdict.policies ?? [];
  const conditional = conditionalPolicies(permits, termsOf);
  const alternatives = conditional.length === permits.length && permits.length > 0 ? [conditional] : [];
  const redact = new Set<string>();
  for (const id of permits) for (const field of termsOf(id)?.redact ?? []) redact.add(field);
  return { verdict, required, alternatives, redact: redact.size === 0 ? [] : [...redact].sort() };
}

function conditionalPolicies(
  ids: string[],
  termsOf: (id: string) => PolicyTerms | undefined,
): ConditionalPolicy[] {
  const conditional: ConditionalPolicy[] = [];
  for (const id of ids) {
    const terms = termsOf(id);
    if (terms === undefined)
      throw new PolicyEngineError('a policy without known terms determined a decision');
    if (isConditional(terms)) conditional.push({ id, terms });
  }
  return conditional;
}

function final(verdict: Verdict): Judgement {
  return { verdict, required: [], alternatives: [], redact: [] };
}

function interpret({ decision, determining, erring, policyVersion }: EngineDecision): Verdict {
  const verdict = (reason: NonNullable<Verdict['reason']>, policies: string[]): Verdict => ({
    decision: reason === 'permitted',
    reason,
    policies,
    errors: erring.map((policy) => policy.id),
    policy_version: policyVersion,
  });
  if (decision === 'deny' && determining.length > 0) return verdict('forbidden', determining);
  const erringForbids = erring.filter((policy) => policy.effect === 'forbid').map((policy) => policy.id);
  if (erringForbids.length > 0) return verdict('policy_error', erringForbids);
  return verdict(decision === 'deny' ? 'no_matching_permit' : 'permitted', determining);
}

function idsOf(policies: ConditionalPolicy[]): string {
  return JSON.stringify(policies.map(({ id }) => id));
}

function distinctBy<T>(values: T[], keyOf: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [keyOf(value), value])).values()];
}
