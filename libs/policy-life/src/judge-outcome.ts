import type { Evaluation } from '@behalf/contracts';
import { type MappingOptions, type PolicyEngine, RequestLists, judgeEvaluation } from '@behalf/policy';

export interface Outcome {
  decision: boolean;
  /** `permitted`, `conditional` or `denied`. */
  outcome: 'permitted' | 'conditional' | 'denied';
  policies: string[];
}

/** What policies say by themselves. `conditional` counts as permitted: somebody can still bring what is asked for. */
export function judgeOutcome(evaluation: Evaluation, engine: PolicyEngine, mapping: MappingOptions): Outcome {
  try {
    const { verdict, required, alternatives } = judgeEvaluation(
      evaluation,
      new RequestLists(engine, mapping),
    );
    const policies = verdict.policies ?? [];
    if (!verdict.decision) return { decision: false, outcome: 'denied', policies };
    const isConditional = required.length + alternatives.length > 0;
    return { decision: true, outcome: isConditional ? 'conditional' : 'permitted', policies };
  } catch {
    return { decision: false, outcome: 'denied', policies: [] };
  }
}
