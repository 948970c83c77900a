import type { Lease, LeaseStore } from '@behalf/ports';

/** A lease that is renewed for as long as it is held. */
export class HeldLease {
  #isHeld = true;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly leases: LeaseStore,
    private readonly lease: Lease,
    private readonly ttlMs: number,
  ) {
    this.#timer = setInterval(() => void this.#renew(), ttlMs / 3).unref();
  }

  get fence(): number {
    return this.lease.fence;
  }

  /** False from when it is known that another may hold it. It may be so earlier. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.leases.release(this.lease);
  }

  async #renew(): Promise<void> {
    try {
      if (await this.leases.renew(this.lease, this.ttlMs)) return;
    } catch {
      // Not to be reached is as good as lost: others may have reached it.
    }
    this.#isHeld = false;
    clearInterval(this.#timer);
  }
}
