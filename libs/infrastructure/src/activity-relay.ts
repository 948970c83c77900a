import { activityWaiting, relayActivity, type RelayDependencies } from '@behalf/activity';
import type { BehalfConfig } from '@behalf/config';
import type { Clock, Lease, LeaseStore } from '@behalf/ports';
import type { Logger } from '@behalf/service-kit';
import { attributes } from '@behalf/telemetry';
import { metrics } from '@opentelemetry/api';

const everyMs = 250;
const leaseName = 'activity-relay';
/** For so long nothing is told after its teller was killed. */
const leaseMs = 6_000;
const renewAfterMs = leaseMs / 3;

export interface ActivityRelayOptions extends Omit<RelayDependencies, 'mayGoOn' | 'onFault'> {
  /** What it is a part of. */
  service: string;
  leases: LeaseStore;
  clock: Clock;
  logger: Pick<Logger, 'error'>;
}

/** Whether what is recorded is told at all: inside one process only where that is wanted, since nobody of ours listens. */
export function tellsActivity(events: BehalfConfig['audit']['events'], isApart: boolean): boolean {
  return events === 'always' || (events === 'apart' && isApart);
}

/**
 * Tells of what the audit log records, beside all else that this process does. Of several processes one does it at a
 * time, so that it is not done twice; should two do it for a while, nothing is told twice all the same.
 */
export class ActivityRelay {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isStopped = false;
  #lease: Lease | undefined;
  #askedAtMs = -Infinity;

  constructor(private readonly options: ActivityRelayOptions) {
    metrics
      .getMeter('behalf')
      .createObservableGauge('behalf.activity.waiting', {
        description: 'Records of the audit log that are not published as events yet',
      })
      .addCallback(async (result) => {
        // A database that is away is seen by other means.
        const waiting = await activityWaiting(options).catch(() => undefined);
        if (waiting !== undefined) result.observe(waiting, { [attributes.serviceName]: options.service });
      });
  }

  start(): void {
    this.#timer ??= setInterval(() => void this.relay(), everyMs).unref();
  }

  /** One round at a time, until all is told; what fails is told in the next one. Never rejects. */
  relay(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends after the batch that is on its way, and lets another process go on at once. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#timer);
    await this.#running;
    if (this.#lease) await this.options.leases.release(this.#lease).catch(() => {});
  }

  async #round(): Promise<void> {
    const { logger } = this.options;
    try {
      await relayActivity({
        ...this.options,
        mayGoOn: async () => !this.#isStopped && (await this.#isOurs()),
        onFault: (what, err) => logger.error({ err }, what),
      });
    } catch (err) {
      logger.error({ err }, 'what was recorded waits to be published as events');
    }
  }

  async #isOurs(): Promise<boolean> {
    const { leases, clock } = this.options;
    const nowMs = clock.nowMs();
    if (Math.abs(nowMs - this.#askedAtMs) < renewAfterMs) return this.#lease !== undefined;
    this.#askedAtMs = nowMs;
    const held = this.#lease;
    this.#lease = undefined;
    const isRenewed = held !== undefined && (await leases.renew(held, leaseMs));
    this.#lease = isRenewed ? held : await leases.acquire(leaseName, leaseMs);
    return this.#lease !== undefined;
  }
}
