import { isTermsAware } from './conditional-engine.js';
import type { Judgement, Verdict } from './judge-evaluation.js';
import { isConditional } from './policy-terms.js';
import type { PossiblePolicy } from './ports.js';
import type { ListedRequest } from './request-lists.js';

/** A hint has an end: a bundle can have thousands of policies about one tool. */
export const maxResiduals = 20;
const maxConditionLength = 1_000;

/**
 * What policies say of a call whose arguments nobody has named. It is denied only when no arguments could have it
 * permitted; what hangs on them is in `residuals`. Forbids that conditions lift do not count: somebody could still bring
 * what they ask for.
 *
 * Sound and not complete: conditions that contradict each other, as in `a < 1 && a > 2`, are not found out.
 */
export function judgePreview({ list, item }: ListedRequest): Judgement {
  const { satisfied, erring, possible, policyVersion } = list.preview(item);
  const termsOf = (id: string) => (isTermsAware(list) ? list.termsOf(id) : undefined);
  const isLiftable = ({ id }: { id: string }): boolean => {
    const terms = termsOf(id);
    return terms !== undefined && isConditional(terms);
  };
  const report = { errors: sorted(erring), policy_version: policyVersion };
  const denied = (reason: Verdict['reason'], policies: string[]): Judgement => ({
    verdict: { decision: false, reason, policies, ...report },
    ...unconditional,
  });

  // A forbid that matches or errs, whichever it will be, denies.
  const forbids = [...satisfied, ...possible.filter(({ mayFail }) => !mayFail)].filter(
    (policy) => policy.effect === 'forbid' && !isLiftable(policy),
  );
  if (forbids.length > 0) return denied('forbidden', sorted(forbids));
  const erringForbids = erring.filter(({ effect }) => effect === 'forbid');
  if (erringForbids.length > 0) return denied('policy_error', sorted(erringForbids));
  const permits = satisfied.filter(({ effect }) => effect === 'permit');
  const wouldPermit = possible.filter(({ effect, mayHold }) => effect === 'permit' && mayHold);
  if (permits.length + wouldPermit.length === 0) return denied('no_matching_permit', []);

  const wouldForbid = possible.filter(({ effect }) => effect === 'forbid');
  const open = permits.length > 0 ? wouldForbid : [...wouldPermit, ...wouldForbid];
  return {
    ...unconditional,
    verdict: {
      decision: true,
      reason: 'permitted',
      policies: sorted(permits),
      ...report,
      ...(open.length > 0 && { residuals: open.slice(0, maxResiduals).map(toResidual) }),
    },
    redact: [...new Set(permits.flatMap(({ id }) => termsOf(id)?.redact ?? []))].sort(),
  };
}

/** Whoever asks for a preview is not asked for anything in turn. */
const unconditional = { required: [], alternatives: [], redact: [] } satisfies Partial<Judgement>;

function toResidual({ id, effect, when }: PossiblePolicy): NonNullable<Verdict['residuals']>[number] {
  const text = when.length > maxConditionLength ? `${when.slice(0, maxConditionLength)}…` : when;
  return { policy: id, effect, when: text };
}

function sorted(policies: readonly { id: string }[]): string[] {
  return policies.map(({ id }) => id).sort();
}
