import {
  CedarEvaluator,
  PolicyNotCompiled,
  type ResidualPolicy,
  UnreadableInput,
  printExpression,
} from '@behalf/cedar-evaluator';
import {
  type CedarRequest,
  type EngineDecision,
  type PolicyBundle,
  type PolicyEngine,
  PolicyEngineError,
  type PolicyProblem,
  type PossiblePolicy,
  type RequestList,
  type SharedRequest,
} from '@behalf/policy';
import { checkPolicyBundle } from './check-policy-bundle.js';

interface LoadedBundle {
  version: string;
  evaluator: CedarEvaluator;
}

/** What `preview` does not know. */
const unseen = [['arguments']];

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

  list(shared: SharedRequest): RequestList {
    const { evaluator, version } = this.#bundle();
    const items = readable(() => evaluator.forList(shared, unseen));
    return {
      policyVersion: version,
      decide: (item) => answering(version, () => items.evaluate(item)),
      preview(item) {
        const { satisfied, erring, residual } = readable(() => items.evaluatePartially(item));
        return { satisfied, erring, possible: residual.map(toPossible), policyVersion: version };
      },
    };
  }

  #bundle(): LoadedBundle {
    if (this.#loaded === undefined) throw new PolicyEngineError('no policy bundle is loaded');
    return this.#loaded;
  }
}

function toPossible({ id, effect, condition, mayHold, mayFail }: ResidualPolicy): PossiblePolicy {
  return { id, effect, when: printExpression(condition), mayHold, mayFail };
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
