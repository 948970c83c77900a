import type { CedarRequest } from './cedar-request.js';
import type { ParsedPolicy, PolicyParser } from './parsed-policy.js';
import { type PolicyTerms, isConditional, readPolicyTerms } from './policy-terms.js';
import {
  type EngineDecision,
  type PolicyBundle,
  type PolicyEngine,
  PolicyEngineError,
  type PolicyProblem,
} from './ports.js';

/** An engine that knows the terms of its policies, and can leave out the forbids that conditions lift. */
export interface TermsAwareEngine extends PolicyEngine {
  /** Undefined for a policy that this bundle does not have. */
  termsOf(policyId: string): PolicyTerms | undefined;
  /** As `decide`, without the forbids that have conditions. */
  decideLifted(request: CedarRequest): EngineDecision;
}

export function isTermsAware(engine: PolicyEngine): engine is TermsAwareEngine {
  return 'termsOf' in engine && 'decideLifted' in engine;
}

/**
 * Adds annotations to any engine. It holds two: one with the whole bundle, whose answers are Cedar's, and one without
 * the forbids that have conditions. So a lifted forbid is never guessed at: Cedar decides as though it had not been
 * written.
 */
export class ConditionalEngine implements TermsAwareEngine {
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
    if (this.#hasLiftable)
      this.lifted.load({ ...bundle, policies: staying.map(({ policy }) => asSource(policy)) });
    return problems;
  }

  decide(request: CedarRequest): EngineDecision {
    return this.whole.decide(request);
  }

  decideLifted(request: CedarRequest): EngineDecision {
    // A part of a valid bundle is valid; if it is refused all the same, the forbids stay.
    if (!this.#hasLiftable || this.lifted.version !== this.whole.version)
      throw new PolicyEngineError('no forbid of this bundle can be lifted');
    return this.lifted.decide(request);
  }

  termsOf(policyId: string): PolicyTerms | undefined {
    return this.#terms.get(policyId);
  }
}

/** Alone in its file a policy would be called `<file>#1`, so that the name it has is written down. */
function asSource({ id, file, annotations, text }: ParsedPolicy): { file: string; text: string } {
  return { file, text: annotations['id'] ? text : `@id(${JSON.stringify(id)})\n${text}` };
}
