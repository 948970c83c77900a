import { type KnownNames, listKnownEntities } from '@behalf/adapter-cedar';
import type {
  CedarRequest,
  EngineDecision,
  PolicyBundle,
  PolicyEngine,
  PolicyProblem,
  RequestList,
  SharedRequest,
} from '@behalf/policy';

/**
 * An engine that also remembers what its bundle names, so that searches look through the same bundle that decides.
 * Decides nothing itself.
 */
export class EntityCatalog implements PolicyEngine {
  #bundle: PolicyBundle | undefined;
  #known: KnownNames | undefined;

  constructor(private readonly engine: PolicyEngine) {}

  get version(): string | undefined {
    return this.engine.version;
  }

  load(bundle: PolicyBundle): PolicyProblem[] {
    const problems = this.engine.load(bundle);
    if (!problems.some((problem) => problem.severity === 'error')) {
      this.#bundle = bundle;
      this.#known = undefined;
    }
    return problems;
  }

  decide(request: CedarRequest): EngineDecision {
    return this.engine.decide(request);
  }

  list(shared: SharedRequest): RequestList {
    return this.engine.list(shared);
  }

  /** Read when first asked for: most deployments never search. */
  known(): KnownNames {
    this.#known ??= this.#bundle ? listKnownEntities(this.#bundle) : { entities: [], actions: [] };
    return this.#known;
  }
}
