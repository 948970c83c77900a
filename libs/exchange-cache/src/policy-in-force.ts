import { LRUCache } from 'lru-cache';

/** Versions that come back after so many others are learnt anew. */
const maxSuperseded = 1_000;

/**
 * Which policies this process knows to be in force, from the events that announce them and from the decisions that name
 * them. Decisions may come from a policy service that lags behind: a version that was superseded here is in force again
 * only when an event says so. On doubt none is.
 */
export class PolicyInForce {
  readonly #superseded = new LRUCache<string, true>({ max: maxSuperseded });
  #version: string | undefined;

  /** @param onChange told whenever another version, or none, is in force */
  constructor(private readonly onChange: () => void) {}

  isInForce(version: string | undefined): boolean {
    return version !== undefined && version === this.#version;
  }

  announce(version: string): void {
    this.#superseded.delete(version);
    this.#become(version);
  }

  /** What a decision says decided it. @returns whether that is in force */
  learn(version: string | undefined): boolean {
    if (version === undefined) return false;
    // Either the decision is old, or an event of going back to these policies was lost: nobody knows.
    this.#become(this.#superseded.has(version) ? undefined : version);
    return this.isInForce(version);
  }

  #become(version: string | undefined): void {
    if (version === this.#version) return;
    // Not known is no successor: what was in force may still be.
    if (this.#version !== undefined && version !== undefined) this.#superseded.set(this.#version, true);
    this.#version = version;
    this.onChange();
  }
}
