import type { Clock, Lease, LeaseStore } from '@behalf/ports';

/** Leases in this process: enough where there is one. */
export class MemoryLeaseStore implements LeaseStore {
  readonly #held = new Map<string, { fence: number; expiresAtMs: number }>();
  #lastFence = 0;

  constructor(private readonly clock: Clock) {}

  async acquire(name: string, ttlMs: number): Promise<Lease | undefined> {
    const nowMs = this.clock.nowMs();
    if ((this.#held.get(name)?.expiresAtMs ?? 0) > nowMs) return undefined;
    // Microseconds, so that fences go on growing after a restart.
    this.#lastFence = Math.max(this.#lastFence + 1, nowMs * 1000);
    this.#held.set(name, { fence: this.#lastFence, expiresAtMs: nowMs + ttlMs });
    return { name, fence: this.#lastFence };
  }

  async renew(lease: Lease, ttlMs: number): Promise<boolean> {
    const nowMs = this.clock.nowMs();
    const held = this.#held.get(lease.name);
    if (held?.fence !== lease.fence || held.expiresAtMs <= nowMs) return false;
    this.#held.set(lease.name, { fence: lease.fence, expiresAtMs: nowMs + ttlMs });
    return true;
  }

  async release(lease: Lease): Promise<void> {
    if (this.#held.get(lease.name)?.fence === lease.fence) this.#held.delete(lease.name);
  }
}
