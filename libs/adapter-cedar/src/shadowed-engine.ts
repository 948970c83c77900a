import type {
  CedarRequest,
  EngineDecision,
  PolicyBundle,
  PolicyEngine,
  PolicyProblem,
  RequestList,
  SharedRequest,
} from '@behalf/policy';

/** How one engine answered: `refused` when it could not read the request. */
export type ShadowAnswer = Omit<EngineDecision, 'policyVersion'> | 'refused';

/** Two engines answered one request differently. Holds no part of the request, which may hold secrets. */
export interface Disagreement {
  policyVersion: string;
  live: ShadowAnswer;
  shadow: ShadowAnswer;
}

export interface ShadowOptions {
  /** Of all decisions, how many are compared: 0 none, 1 all. */
  share: number;
  /**
   * A comparison holds up the process as long as the shadow takes to decide, and that grows with the policies. So after
   * one that took a moment comes a pause of so many.
   */
  pauseFactor: number;
  onDisagreement: (disagreement: Disagreement) => void;
  nowMs: () => number;
  random?: () => number;
  /** Runs a comparison when the answer is on its way. */
  later?: (compare: () => void) => void;
}

/**
 * Decides by one engine and has a second one decide a sample again. The first one's answer is the answer, whatever the
 * second says; the second's is only compared.
 */
export class ShadowedEngine implements PolicyEngine {
  #pauseUntilMs = -Infinity;

  constructor(
    private readonly live: PolicyEngine,
    private readonly shadow: PolicyEngine,
    private readonly options: ShadowOptions,
  ) {}

  get version(): string | undefined {
    return this.live.version;
  }

  load(bundle: PolicyBundle): PolicyProblem[] {
    const problems = this.live.load(bundle);
    if (this.live.version === bundle.version) this.shadow.load(bundle);
    return problems;
  }

  decide(request: CedarRequest): EngineDecision {
    return this.#deciding(
      () => this.live.decide(request),
      () => request,
    );
  }

  /** What is not known in full is not compared: the shadow would have to know it. */
  list(shared: SharedRequest): RequestList {
    const list = this.live.list(shared);
    return {
      policyVersion: list.policyVersion,
      decide: (item) =>
        this.#deciding(
          () => list.decide(item),
          () => ({ ...shared, ...item, entities: [...shared.entities, ...item.entities] }),
        ),
      preview: (item) => list.preview(item),
    };
  }

  #deciding(decide: () => EngineDecision, requestOf: () => CedarRequest): EngineDecision {
    const { version } = this.live;
    let answer: EngineDecision | undefined;
    try {
      return (answer = decide());
    } finally {
      if (version !== undefined && this.#isSampled()) {
        const { later = setImmediate } = this.options;
        later(() => this.#compareAndPause(requestOf(), version, answer));
      }
    }
  }

  #isSampled(): boolean {
    const { share, nowMs, random = Math.random } = this.options;
    if (random() >= share || nowMs() < this.#pauseUntilMs) return false;
    // Until this one is made.
    this.#pauseUntilMs = Infinity;
    return true;
  }

  #compareAndPause(request: CedarRequest, policyVersion: string, answer: EngineDecision | undefined): void {
    const { nowMs, pauseFactor } = this.options;
    const began = nowMs();
    try {
      this.#compare(request, policyVersion, answer);
    } finally {
      const ended = nowMs();
      this.#pauseUntilMs = ended + (ended - began) * pauseFactor;
    }
  }

  #compare(request: CedarRequest, policyVersion: string, answer: EngineDecision | undefined): void {
    // A bundle that came in between would explain any difference.
    if (this.shadow.version !== policyVersion) return;
    const live = toAnswer(answer);
    const shadow = toAnswer(this.#decideAgain(request));
    if (JSON.stringify(live) !== JSON.stringify(shadow))
      this.options.onDisagreement({ policyVersion, live, shadow });
  }

  #decideAgain(request: CedarRequest): EngineDecision | undefined {
    try {
      return this.shadow.decide(request);
    } catch {
      return undefined;
    }
  }
}

function toAnswer(decided: EngineDecision | undefined): ShadowAnswer {
  if (decided === undefined) return 'refused';
  const { decision, determining, erring } = decided;
  return { decision, determining, erring: erring.map(({ id, effect }) => ({ id, effect })) };
}
