export type ThirdPartyProblem =
  /** The person, or the provider for them, said no (`access_denied`). */
  | 'denied'
  /** The callback did not come from the provider that was asked, or does not belong to this request. */
  | 'mix_up'
  /** The code, refresh token or credential is invalid, expired, used or revoked. */
  | 'invalid_grant'
  /** The provider does not take us for the client that was registered: an operator has to look. */
  | 'client_refused'
  /** Another refusal by the provider; `code` has its error. */
  | 'refused'
  /** Nothing was sent, or the provider said that it did nothing: it may be tried again at any time. */
  | 'unavailable'
  /** A request was sent and no usable answer came: the provider may or may not have acted. */
  | 'outcome_unknown'
  /** What the provider publishes or answers cannot be used. */
  | 'malformed'
  /** It named an address that is not dialled for strangers. */
  | 'forbidden_address';

export interface ThirdPartyErrorOptions extends ErrorOptions {
  /** The provider's own error code, when it is one in the RFC's alphabet. */
  code?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** The time for an answer was over. */
  isTimeout?: boolean;
}

/** A third party could not be used. The message holds no text of the provider: it may be hostile, or hold a token. */
export class ThirdPartyError extends Error {
  override readonly name = 'ThirdPartyError';
  readonly code: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly isTimeout: boolean;

  constructor(
    readonly problem: ThirdPartyProblem,
    readonly providerId: string,
    { code, retryAfterSeconds, isTimeout = false, ...options }: ThirdPartyErrorOptions = {},
  ) {
    super(`third party ${providerId}: ${problem}`, options);
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
    this.isTimeout = isTimeout;
  }
}
