export interface ClaimOptions {
  /** For how long the key could be presented again. */
  ttlSeconds: number;
  /**
   * The earliest moment at which what is claimed can have been made: its `iat`, less what the verifier allows for
   * clocks. Milliseconds since the epoch.
   */
  issuedAtMs: number;
}

/**
 * State that may be used once. Both verbs are atomic: of any number of concurrent callers exactly one wins.
 * `purpose` separates name spaces, so that a marker of one kind never answers for another.
 *
 * A store may lose what it knew (a restart, a fail-over to a replica that lags). It then gives back nothing that it
 * kept before, and refuses claims of what was made before: who comes with it has to begin anew, and nothing that was
 * used is ever used again.
 */
export interface OneTimeStore {
  /** Keeps a value until it is taken or its time is over. An existing value under the key is replaced. */
  put(purpose: string, key: string, value: string, ttlSeconds: number): Promise<void>;
  /** Returns the value and removes it in one step; undefined when it was taken, has expired or never was. */
  take(purpose: string, key: string): Promise<string | undefined>;
  /** Marks a key as used: true for the first caller, false for every later one until the time is over. */
  claim(purpose: string, key: string, options: ClaimOptions): Promise<boolean>;
}
