import { loadPolicyBundle } from '@behalf/adapter-cedar';
import { policyChanged } from '@behalf/contracts';
import type { PolicyEngine, PolicyParser } from '@behalf/policy';
import { activePolicies, bundles, seedBundle, toBundle, toFiles } from '@behalf/policy-life';
import type { Bus, Clock, RecordStore, Subscription } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import type { OnApplicationShutdown } from '@nestjs/common';

/** An event can be lost between two processes; the record cannot. */
const recheckMs = 15_000;

export interface RecordPolicySourceOptions {
  folder: string;
  engine: PolicyEngine;
  records: RecordStore;
  bus: Bus;
  clock: Clock;
  parser: PolicyParser;
  logger: Logger;
}

/**
 * Keeps the engine on the bundle that was published last, of whichever replica: told by event, and looked up from time
 * to time. A bundle that this program refuses, e.g. because another version of it published it, leaves the one before.
 */
export class RecordPolicySource implements OnApplicationShutdown {
  #following: Subscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(private readonly options: RecordPolicySourceOptions) {}

  /** @throws Error when neither the records nor the folder hold policies that can be used */
  static async open(options: RecordPolicySourceOptions): Promise<RecordPolicySource> {
    const { records, folder, parser, clock, bus, engine } = options;
    if ((await records.get(activePolicies, 'live')) === undefined) {
      const files = toFiles(await loadPolicyBundle(folder));
      const by = { author: 'behalf', reason: `the folder at the first start` };
      await seedBundle(files, { records, parser, nowMs: clock.nowMs(), ...by });
    }
    const source = new RecordPolicySource(options);
    // Before the first look, so that nothing published in between is missed.
    source.#following = bus.subscribe(policyChanged, () => source.check());
    await source.check();
    if (engine.version === undefined) {
      await source.onApplicationShutdown();
      throw new Error('The published policies cannot be used');
    }
    source.#timer = setInterval(() => void source.check(), recheckMs).unref();
    return source;
  }

  /** Looks now. Resolves when the engine decides by what is live, or has refused it. One look at a time. */
  check(): Promise<void> {
    this.#running = this.#running.then(() => this.#take());
    return this.#running;
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#following?.drain();
    await this.#running;
  }

  async #take(): Promise<void> {
    const { records, engine, logger } = this.options;
    try {
      const live = await records.get(activePolicies, 'live');
      if (live === undefined || live.value.version === engine.version) return;
      const bundle = await records.get(bundles, live.value.version);
      const problems = bundle ? engine.load(toBundle(bundle.value.files)) : [];
      const version = { policy_version: live.value.version };
      if (engine.version === live.value.version) logger.info(version, 'policies in use');
      else logger.error({ ...version, problems }, 'published policies refused, the ones before stay in use');
    } catch (err) {
      logger.error({ err }, 'the published policies could not be read');
    }
  }
}
