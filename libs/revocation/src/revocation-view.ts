import type { Revocation } from '@behalf/contracts';
import { type Clock } from '@behalf/ports';
import { mergeRevocations } from './merge-revocations.js';
import { type RevocableClaims, revocationKeys } from './revocation-keys.js';
import { touches } from './touches.js';

const sweepIntervalMs = 1_000;

/**
 * The revocations that are live now, in memory. Until it has been loaded it knows nothing and `isRevoked` throws:
 * an enforcement point that cannot know refuses (design rule 6).
 */
export class RevocationView {
  readonly #live = new Map<string, Revocation>();
  #loaded = false;
  #sweepAtMs = 0;

  constructor(private readonly clock: Clock) {}

  get loaded(): boolean {
    return this.#loaded;
  }

  /** Takes a snapshot over; what arrived as events before it stays. */
  load(revocations: Iterable<Revocation>): void {
    for (const revocation of revocations) this.add(revocation);
    this.#loaded = true;
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

  /** @throws Error while nothing has been loaded */
  isRevoked(claims: RevocableClaims): boolean {
    if (!this.#loaded) throw new Error('revocations are not loaded yet');
    return revocationKeys(claims).some((key) => {
      const revocation = this.#live.get(key);
      return revocation !== undefined && touches(revocation, claims);
    });
  }
}
