import type { Revocation } from '@behalf/contracts';
import { type Clock } from '@behalf/ports';
import { mergeRevocations } from './merge-revocations.js';
import { type RevocableClaims, revocationKeys } from './revocation-keys.js';
import { touches } from './touches.js';

const sweepIntervalMs = 1_000;

/** How long it may be since it was last known that nothing was missed. */
const maxLagMs = 10_000;

/**
 * The revocations that are live now, in memory. While it has not been loaded, or nobody has confirmed for too long that
 * nothing is missing, `isRevoked` throws: an enforcement point that cannot know refuses (design rule 6).
 */
export class RevocationView {
  readonly #live = new Map<string, Revocation>();
  #completeAtMs = -Infinity;
  #sweepAtMs = 0;

  /** @param elapsedMs time that nobody can set, and that goes on while this process does not */
  constructor(
    private readonly clock: Clock,
    private readonly elapsedMs: () => number = () => performance.now(),
  ) {}

  /** True when nothing can be missing but what was revoked within the bound. */
  get isCurrent(): boolean {
    return this.lagMs <= maxLagMs;
  }

  /** How long ago it was last known that nothing was missing. */
  get lagMs(): number {
    return this.elapsedMs() - this.#completeAtMs;
  }

  /** Takes over all revocations that there are; what arrived as events before it stays. */
  load(revocations: Iterable<Revocation>): void {
    for (const revocation of revocations) this.add(revocation);
    this.confirm(this.elapsedMs());
  }

  /** Says that everything made before this moment is in here. */
  confirm(atElapsedMs: number): void {
    this.#completeAtMs = Math.max(this.#completeAtMs, atElapsedMs);
  }

  /** Now, as `confirm` takes it. */
  moment(): number {
    return this.elapsedMs();
  }

  add(revocation: Revocation): void {
    const now = this.clock.nowMs();
    this.#sweep(now);
    const key = `${revocation.kind}:${revocation.id}`;
    const known = this.#live.get(key);
    const merged = known ? mergeRevocations(known, revocation) : revocation;
    if (merged.expiresAtMs > now) this.#live.set(key, merged);
  }

  /** Now and then, not each time: a snapshot of many would look at all of them for each of them. */
  #sweep(now: number): void {
    if (now < this.#sweepAtMs) return;
    this.#sweepAtMs = now + sweepIntervalMs;
    for (const [key, { expiresAtMs }] of this.#live) if (expiresAtMs <= now) this.#live.delete(key);
  }

  /** @throws Error while it cannot be known */
  isRevoked(claims: RevocableClaims): boolean {
    if (!this.isCurrent) throw new Error('revocations are not known at this moment');
    if (this.#live.size === 0) return false;
    return revocationKeys(claims).some((key) => {
      const revocation = this.#live.get(key);
      return revocation !== undefined && touches(revocation, claims);
    });
  }
}
