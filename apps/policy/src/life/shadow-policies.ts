import { type Evaluation, policyChanged } from '@behalf/contracts';
import type { MappingOptions, PolicyEngine } from '@behalf/policy';
import { activePolicies, bundles, judgeOutcome, toBundle } from '@behalf/policy-life';
import type { Bus, RecordStore, Subscription } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { OnApplicationShutdown } from '@nestjs/common';

/** Comparisons that may wait; past it decisions go uncompared instead of late. */
const maxWaiting = 1_000;

/**
 * Decides everything a second time by a bundle that is not in force, after the answer has left. Differences are counted
 * and logged; nothing of it is ever enforced.
 */
export class ShadowPolicies implements OnApplicationShutdown {
  #engine: PolicyEngine | undefined;
  #following: Subscription | undefined;
  #waiting = 0;
  #counts = { compared: 0, different: 0 };

  private constructor(
    private readonly records: RecordStore,
    private readonly live: PolicyEngine,
    private readonly newEngine: () => PolicyEngine,
    private readonly logger: Logger,
  ) {}

  static async open(
    records: RecordStore,
    bus: Bus,
    live: PolicyEngine,
    newEngine: () => PolicyEngine,
    logger: Logger,
  ): Promise<ShadowPolicies> {
    const shadow = new ShadowPolicies(records, live, newEngine, logger);
    const reload = () =>
      shadow.reload().catch((err: unknown) => logger.warn({ err }, 'the shadow policies could not be read'));
    shadow.#following = bus.subscribe(policyChanged, reload);
    await reload();
    return shadow;
  }

  get status(): { version: string | null; compared: number; different: number } {
    return { version: this.#engine?.version ?? null, ...this.#counts };
  }

  compare(evaluation: Evaluation, decisionId: string | undefined, mapping: MappingOptions): void {
    if (this.#engine === undefined || this.#waiting >= maxWaiting) return;
    this.#waiting++;
    setImmediate(() => {
      this.#waiting--;
      this.#compare(evaluation, decisionId, mapping);
    });
  }

  async reload(): Promise<void> {
    const shadow = await this.records.get(activePolicies, 'shadow');
    if (shadow?.value.version === this.#engine?.version) return;
    const bundle = shadow && (await this.records.get(bundles, shadow.value.version));
    this.#counts = { compared: 0, different: 0 };
    this.#engine = undefined;
    if (bundle === undefined) return;
    const engine = this.newEngine();
    engine.load(toBundle(bundle.value.files));
    if (engine.version !== undefined) this.#engine = engine;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#following?.drain();
  }

  #compare(evaluation: Evaluation, decisionId: string | undefined, mapping: MappingOptions): void {
    if (this.#engine === undefined) return;
    const live = judgeOutcome(evaluation, this.live, mapping);
    const shadow = judgeOutcome(evaluation, this.#engine, mapping);
    this.#counts.compared++;
    if (live.outcome === shadow.outcome) return;
    this.#counts.different++;
    const versions = { live_version: this.live.version, shadow_version: this.#engine.version };
    this.logger.info(
      {
        decision_id: decisionId,
        live: live.outcome,
        shadow: shadow.outcome,
        policies: shadow.policies,
        ...versions,
      },
      'shadow policies differ',
    );
  }
}
