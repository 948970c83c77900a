import { CedarEvaluator, PolicyNotCompiled, UnreadableInput } from '@behalf/cedar-evaluator';
import {
  type CedarRequest,
  type EngineDecision,
  type PolicyBundle,
  type PolicyEngine,
  PolicyEngineError,
  type PolicyProblem,
} from '@behalf/policy';
import { checkPolicyBundle } from './check-policy-bundle.js';

interface LoadedBundle {
  version: string;
  evaluator: CedarEvaluator;
}

export type SharedRequest = Pick<CedarRequest, 'principal' | 'context' | 'entities'>;
export type ListItem = Pick<CedarRequest, 'action' | 'resource'> &
  Partial<Pick<CedarRequest, 'context' | 'entities'>>;

/**
 * Cedar, decided by Behalf's own evaluator: cedar-wasm parses and validates a bundle when it is loaded and takes no
 * part in a decision. Answers as `CedarWasmEngine` does, which a differential test holds it to.
 *
 * Policies are validated against the schema, requests are not, as in `CedarWasmEngine`.
 */
export class CompiledCedarEngine implements PolicyEngine {
  #loaded: LoadedBundle | undefined;

  get version(): string | undefined {
    return this.#loaded?.version;
  }

  load(bundle: PolicyBundle): PolicyProblem[] {
    const { policies, entities, problems } = checkPolicyBundle(bundle);
    if (problems.some((problem) => problem.severity === 'error')) return problems;
    try {
      this.#loaded = { version: bundle.version, evaluator: new CedarEvaluator(policies, entities) };
    } catch (error) {
      return [...problems, { severity: 'error', reason: reasonOf(error) }];
    }
    return problems;
  }

  decide(request: CedarRequest): EngineDecision {
    const { evaluator, version } = this.#bundle();
    return answering(version, () => evaluator.evaluate(request));
  }

  /**
   * What answers requests that share their principal, entities and mostly their context, by the bundle that is in use
   * now. What they share is read once.
   *
   * @throws PolicyEngineError, as does the returned function
   */
  forList(shared: SharedRequest): (item: ListItem) => EngineDecision {
    const { evaluator, version } = this.#bundle();
    const decideItem = readable(() => evaluator.forList(shared));
    return (item) => answering(version, () => decideItem(item));
  }

  #bundle(): LoadedBundle {
    if (this.#loaded === undefined) throw new PolicyEngineError('no policy bundle is loaded');
    return this.#loaded;
  }
}

function answering(
  policyVersion: string,
  evaluate: () => Omit<EngineDecision, 'policyVersion'>,
): EngineDecision {
  const { decision, determining, erring } = readable(evaluate);
  return { decision, determining, erring, policyVersion };
}

function readable<T>(evaluate: () => T): T {
  try {
    return evaluate();
  } catch (cause) {
    if (cause instanceof UnreadableInput) throw new PolicyEngineError(cause.message, { cause });
    throw cause;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof PolicyNotCompiled || error instanceof UnreadableInput) return error.message;
  throw error;
}
