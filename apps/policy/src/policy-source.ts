import { type BundleRefused, type PolicyBundleWatch, watchPolicyBundle } from '@behalf/adapter-cedar';
import type { PolicyEngine, PolicyProblem } from '@behalf/policy';
import type { RecordStore } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { OnApplicationShutdown } from '@nestjs/common';
import { PolicyAnnouncer } from './policy-announcer.js';

/**
 * Keeps the engine on the policies of a folder. A change is logged and told to everybody (`policyChanged`); an invalid
 * bundle is logged with file, policy and reason, and the one before keeps deciding.
 */
export class PolicySource implements OnApplicationShutdown {
  #watch: PolicyBundleWatch | undefined;
  #isFirst = true;
  readonly #announcer: PolicyAnnouncer;
  #announced: Promise<void> = Promise.resolve();

  private constructor(
    records: RecordStore,
    private readonly logger: Logger,
  ) {
    this.#announcer = new PolicyAnnouncer(records, logger);
  }

  /** @throws Error naming every fault when the folder holds no valid bundle: a service without policies is no use */
  static async open(
    folder: string,
    engine: PolicyEngine,
    records: RecordStore,
    logger: Logger,
  ): Promise<PolicySource> {
    const source = new PolicySource(records, logger);
    let refused: BundleRefused | undefined;
    source.#watch = watchPolicyBundle({
      folder,
      engine,
      onChanged: (version, warnings) => source.#onChanged(version, warnings),
      onRefused: (bundle) => {
        refused = bundle;
        source.#onRefused(bundle);
      },
    });
    await source.#watch.check();
    if (engine.version === undefined) {
      await source.onApplicationShutdown();
      throw new Error(
        `The policies in ${folder} cannot be used:\n${(refused?.problems ?? []).map(inOneLine).join('\n')}`,
      );
    }
    source.#isFirst = false;
    return source;
  }

  /** Looks at the folder now instead of when the file system tells. */
  async check(): Promise<void> {
    await this.#watch?.check();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.#watch?.close();
    this.#announcer.end();
    await this.#announced;
  }

  #onChanged(version: string, warnings: PolicyProblem[]): void {
    for (const warning of warnings) this.logger.warn(warning, 'policy warning');
    this.logger.info({ policy_version: version }, 'policies in use');
    if (this.#isFirst) return;
    this.#announced = this.#announcer.tell(version);
  }

  #onRefused({ version, problems }: BundleRefused): void {
    for (const problem of problems) {
      this.logger.error(
        { ...problem, policy_version: version },
        'policies refused, the ones before stay in use',
      );
    }
  }
}

function inOneLine({ severity, file, policy, reason }: PolicyProblem): string {
  return `  - ${severity}: ${[file, policy, reason].filter((part) => part !== undefined).join(': ')}`;
}
