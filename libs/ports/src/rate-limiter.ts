export interface RateLimit {
  attempts: number;
  /** Windows are fixed; the first attempt of a key begins one. */
  windowSeconds: number;
}

/** Counts attempts, for all replicas of a service together. `purpose` separates name spaces and has one limit. */
export interface RateLimiter {
  /** Counts one attempt. @returns whole seconds to wait, or undefined when it may go on */
  tryAttempt(purpose: string, key: string, limit: RateLimit): Promise<number | undefined>;
  /** Takes an attempt back that turned out to be rightful. */
  forgive(purpose: string, key: string): Promise<void>;
}
