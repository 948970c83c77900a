export interface Lease {
  readonly name: string;
  /**
   * The fencing token: greater than that of every lease of this name before it. Also what proves that a lease is ours.
   */
  readonly fence: number;
}

/**
 * One holder at a time, for a while. A lease is a courtesy and no lock: a holder that is held up does not notice that
 * its time is over, so whatever is written under a lease is to be guarded by its fence or by a version as well.
 *
 * A store may lose what it knew. A name can then have two holders for one lifetime; fences still grow.
 */
export interface LeaseStore {
  /** Undefined while another holds it. */
  acquire(name: string, ttlMs: number): Promise<Lease | undefined>;
  /** Lets it last from now on. False when it is no longer ours. */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Gives it back; nothing happens when it is no longer ours. */
  release(lease: Lease): Promise<void>;
}
