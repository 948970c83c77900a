export type VaultProblem =
  /** The decision grant is not one, is over, was used, or is not for this vault. */
  | 'grant_refused'
  /** This person has not connected this resource. */
  | 'not_connected'
  /** The connection does not work any more; its person has to connect anew. */
  | 'needs_consent'
  /** The connection works, but its person has not agreed to this much. */
  | 'needs_scope'
  /** Nobody may open it: an alarm was raised. */
  | 'alarmed'
  /** A part that this depends on does not answer; waiting helps. */
  | 'unavailable';

export interface VaultErrorOptions extends ErrorOptions {
  /** With `needs_scope`: what is missing. */
  missingScopes?: readonly string[];
  retryAfterSeconds?: number | undefined;
}

/** A credential was not opened. Says nothing of it. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly missingScopes: readonly string[];
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly problem: VaultProblem,
    { missingScopes = [], retryAfterSeconds, ...options }: VaultErrorOptions = {},
  ) {
    super(`vault: ${problem}`, options);
    this.missingScopes = missingScopes;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
