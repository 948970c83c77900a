import { type PolicySet, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import {
  type CedarEntity,
  type CedarRequest,
  type EngineDecision,
  type ListItem,
  type PolicyBundle,
  type PolicyEngine,
  PolicyEngineError,
  type PolicyProblem,
  type RequestList,
  type SharedRequest,
} from '@behalf/policy';
import { type CheckedBundle, checkPolicyBundle } from './check-policy-bundle.js';
import { describeCedarError } from './describe-cedar-error.js';
import { mergeEntities } from './merge-entities.js';
import { previewByWasm } from './preview-by-wasm.js';

interface LoadedBundle extends Pick<CheckedBundle, 'entities'> {
  version: string;
  policySet: PolicySet;
  effects: ReadonlyMap<string, 'permit' | 'forbid'>;
}

let engines = 0;

/**
 * The official evaluator. Policies are parsed once per bundle; entities are parsed with every request, which is most
 * of what a decision costs.
 *
 * Policies are validated against the schema when loaded. Requests are not: tools take what arguments they like, and
 * the schema names only those that policies use. An argument of another type than declared makes the policy err, and
 * an erring policy never permits.
 */
export class CedarWasmEngine implements PolicyEngine {
  /** cedar-wasm keeps parsed policies per name and never frees them, so an engine uses one name for all its bundles. */
  readonly #policySetId = `behalf-${++engines}`;
  #loaded: LoadedBundle | undefined;

  get version(): string | undefined {
    return this.#loaded?.version;
  }

  load(bundle: PolicyBundle): PolicyProblem[] {
    const { policies, policySet, entities, problems } = checkPolicyBundle(bundle);
    if (problems.some((problem) => problem.severity === 'error')) return problems;
    const parsed = preparsePolicySet(this.#policySetId, policySet);
    if (parsed.type === 'failure') {
      return [
        ...problems,
        ...parsed.errors.map((error) => ({ severity: 'error' as const, reason: describeCedarError(error) })),
      ];
    }
    const effects = new Map(policies.map(({ id, effect }) => [id, effect]));
    this.#loaded = { version: bundle.version, policySet, effects, entities };
    return problems;
  }

  decide(request: CedarRequest): EngineDecision {
    const loaded = this.#loaded;
    if (loaded === undefined) throw new PolicyEngineError('no policy bundle is loaded');
    const { decision, diagnostics } = this.#ask(request, loaded);
    const erring = diagnostics.errors.map(({ policyId }) => {
      const effect = loaded.effects.get(policyId);
      // An unknown policy that errs could be a forbid; treating it as one can only deny.
      return { id: policyId, effect: effect ?? 'forbid' };
    });
    return {
      decision,
      determining: diagnostics.reason.toSorted(),
      erring: erring.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
      policyVersion: loaded.version,
    };
  }

  /** Shares nothing: there is no way to hand entities over once. Previews are Cedar's own, which parse all policies. */
  list(shared: SharedRequest): RequestList {
    const loaded = this.#loaded;
    if (loaded === undefined) throw new PolicyEngineError('no policy bundle is loaded');
    const requestOf = ({ entities, ...item }: ListItem): CedarRequest => ({
      ...shared,
      ...item,
      entities: mergeEntities(shared.entities, entities) as CedarEntity[],
    });
    return {
      policyVersion: loaded.version,
      decide: (item) => {
        // cedar-wasm keeps one bundle for this engine.
        if (this.#loaded !== loaded) throw new PolicyEngineError('the policy bundle was replaced');
        return this.decide(requestOf(item));
      },
      preview: (item) => previewByWasm(requestOf(item), loaded),
    };
  }

  #ask(request: CedarRequest, loaded: LoadedBundle) {
    const { principal, action, resource, context } = request;
    const entities = mergeEntities(loaded.entities, request.entities);
    let answer: ReturnType<typeof statefulIsAuthorized>;
    try {
      answer = statefulIsAuthorized({
        principal,
        action,
        resource,
        context,
        entities,
        preparsedPolicySetId: this.#policySetId,
      });
    } catch (cause) {
      throw new PolicyEngineError('Cedar could not read the request', { cause });
    }
    if (answer.type === 'failure')
      throw new PolicyEngineError(answer.errors.map((error) => describeCedarError(error)).join('; '));
    return answer.response;
  }
}
