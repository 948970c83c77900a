/** The authorization server gave no token, and no person can help. `code` is its OAuth error code. */
export class ThirdPartyTokenError extends Error {
  override readonly name = 'ThirdPartyTokenError';

  constructor(
    readonly code: string,
    /** Seconds after which it may work. */
    readonly retryAfterSeconds?: number,
    options?: ErrorOptions,
  ) {
    super(`no third-party token: ${code}`, options);
  }
}
