import type { CedarRequest } from './cedar-request.js';
import type { ParsedPolicy, PolicyParser } from './parsed-policy.js';
import { type PolicyTerms, isConditional, readPolicyTerms } from './policy-terms.js';
import {
  type EngineDecision,
  type ListItem,
  type PolicyBundle,
  type PolicyEngine,
  PolicyEngineError,
  type PolicyProblem,
  type RequestList,
  type SharedRequest,
} from './ports.js';

/** A list that knows the terms of its policies, and can leave out the forbids that conditions lift. */
export interface TermsAwareList extends RequestList {
  /** Undefined for a policy that this bundle does not have. */
  readonly termsOf: (policyId: string) => PolicyTerms | undefined;
  /** As `decide`, without the forbids that have conditions. */
  decideLifted(item: ListItem): EngineDecision;
}

export function isTermsAware(list: RequestList): list is TermsAwareList {
  return 'termsOf' in list && 'decideLifted' in list;
}

/**
 * Adds annotations to any engine. It holds two: one with the whole bundle, whose answers are Cedar's, and one without
 * the forbids that have conditions. So a lifted forbid is never guessed at: Cedar decides as though it had not been
 * written.
 */
export class ConditionalEngine implements PolicyEngine {
  #terms: ReadonlyMap<string, PolicyTerms> = new Map();
  #hasLiftable = false;

  constructor(
    private readonly whole: PolicyEngine,
    private readonly lifted: PolicyEngine,
    private readonly parser: PolicyParser,
  ) {}

  get version(): string | undefined {
    return this.whole.version;
  }

  load(bundle: PolicyBundle): PolicyProblem[] {
    const { policies, problems: unparsed } = this.parser.read(bundle);
    // A policy whose annotations are not known would have none.
    if (unparsed.some((problem) => problem.severity === 'error')) return unparsed;
    const read = policies.map((policy) => ({
      policy,
      ...readPolicyTerms(policy.effect, policy.annotations),
    }));
    const faults = read.flatMap(({ policy, faults: reasons }) =>
      reasons.map((reason) => ({ severity: 'error' as const, file: policy.file, policy: policy.id, reason })),
    );
    if (faults.length > 0) return faults;
    const problems = this.whole.load(bundle);
    if (problems.some((problem) => problem.severity === 'error')) return problems;

    this.#terms = new Map(read.map(({ policy, terms }) => [policy.id, terms]));
    const staying = read.filter(({ policy, terms }) => policy.effect === 'permit' || !isConditional(terms));
    this.#hasLiftable = staying.length < read.length;
    if (this.#hasLiftable) {
      // Links are policies by now, and have no template left to name.
      const { links: _, ...rest } = bundle;
      this.lifted.load({ ...rest, policies: staying.map(({ policy }) => asSource(policy)) });
    }
    return problems;
  }

  decide(request: CedarRequest): EngineDecision {
    return this.whole.decide(request);
  }

  list(shared: SharedRequest): TermsAwareList {
    const list = this.whole.list(shared);
    const terms = this.#terms;
    // Bound here: a bundle that is loaded meanwhile has other forbids.
    const isLiftable = this.#hasLiftable && this.lifted.version === list.policyVersion;
    let lifted: RequestList | undefined;
    return {
      policyVersion: list.policyVersion,
      decide: (item) => list.decide(item),
      preview: (item) => list.preview(item),
      termsOf: (id) => terms.get(id),
      decideLifted: (item) => {
        // A part of a valid bundle is valid; if it is refused all the same, the forbids stay.
        if (!isLiftable) throw new PolicyEngineError('no forbid of this bundle can be lifted');
        lifted ??= this.lifted.list(shared);
        if (lifted.policyVersion !== list.policyVersion)
          throw new PolicyEngineError('the policy bundle was replaced');
        return lifted.decide(item);
      },
    };
  }
}

/** Alone in its file a policy would be called `<file>#1`, so that the name it has is written down. */
function asSource({ id, file, annotations, text }: ParsedPolicy): { file: string; text: string } {
  return { file, text: annotations['id'] ? text : `@id(${JSON.stringify(id)})\n${text}` };
}
