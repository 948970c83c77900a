/** Every error code this system puts on an OAuth wire, with its HTTP status and the section that defines it. */
export const oauthErrorCodes = {
  invalid_request: {
    status: 400,
    see: 'RFC 6749 §5.2, RFC 8693 §2.2.2',
    means: 'The request is malformed, or its subject or actor token cannot be accepted.',
  },
  invalid_client: { status: 401, see: 'RFC 6749 §5.2', means: 'Client authentication failed.' },
  invalid_grant: {
    status: 400,
    see: 'RFC 6749 §5.2',
    means: 'The code, refresh token or assertion is invalid, expired, used or revoked.',
  },
  unauthorized_client: { status: 400, see: 'RFC 6749 §5.2', means: 'The client may not use this grant.' },
  unsupported_grant_type: { status: 400, see: 'RFC 6749 §5.2', means: 'The grant type is not served here.' },
  invalid_scope: { status: 400, see: 'RFC 6749 §5.2', means: 'No requested scope can be granted.' },
  invalid_target: {
    status: 400,
    see: 'RFC 8707 §2',
    means: 'The resource or audience is missing, unknown or not allowed.',
  },
  invalid_authorization_details: {
    status: 400,
    see: 'RFC 9396 §5',
    means: 'The authorization details are malformed, of an unknown type, or beyond what can be delegated.',
  },
  interaction_required: {
    status: 400,
    see: 'OpenID Connect Core §3.1.2.6',
    means:
      'The person has to agree first: send them to `interaction_uri` within `expires_in` seconds and ask again, at most every `interval` seconds.',
  },
  access_denied: { status: 403, see: 'RFC 6749 §4.1.2.1', means: 'The person or the policy said no.' },
  invalid_token: {
    status: 401,
    see: 'RFC 6750 §3.1',
    means: 'The access token is missing, malformed, expired, revoked or not for this resource.',
  },
  insufficient_scope: {
    status: 403,
    see: 'RFC 6750 §3.1',
    means: 'The access token lacks a scope that this call needs.',
  },
  invalid_dpop_proof: {
    status: 400,
    see: 'RFC 9449 §5, §7.1',
    means:
      'The DPoP proof is missing, malformed, stale, used before or for something else; 401 at a resource.',
  },
  use_dpop_nonce: {
    status: 400,
    see: 'RFC 9449 §8, §9',
    means: 'The DPoP proof needs the nonce of the `DPoP-Nonce` header; 401 at a resource.',
  },
  server_error: {
    status: 500,
    see: 'RFC 6749 §4.1.2.1',
    means: 'Something failed here; the details are in the log.',
  },
  temporarily_unavailable: {
    status: 503,
    see: 'RFC 6749 §4.1.2.1',
    means: 'A part this answer depends on cannot be reached; try again later.',
  },
  authorization_pending: {
    status: 400,
    see: 'RFC 8628 §3.5',
    means: 'The person has not decided yet; ask again after `interval` seconds.',
  },
  slow_down: {
    status: 400,
    see: 'RFC 8628 §3.5',
    means: 'As authorization_pending, and the interval has to grow by five seconds.',
  },
  expired_token: {
    status: 400,
    see: 'RFC 8628 §3.5',
    means: 'The person did not decide in time; begin again.',
  },
} as const satisfies Record<string, { status: number; see: string; means: string }>;

export type OAuthErrorCode = keyof typeof oauthErrorCodes;

export interface OAuthErrorOptions {
  /** What really went wrong. Goes to logs and audit, never to the wire. */
  cause?: unknown;
  /** Overrides the code's usual HTTP status. */
  status?: number;
  /** Seconds after which a retry may help; sent as `Retry-After`. */
  retryAfterSeconds?: number;
  /** Further members of the answer that the code's definition, or ours, has. */
  parameters?: Readonly<Record<string, string | number>>;
}

/**
 * An error that may leave on the wire: a registered code and a description in plain ASCII without token contents.
 *
 * @see RFC 6749 §5.2 for the character set of `error_description`
 */
export class OAuthError extends Error {
  override readonly name = 'OAuthError';
  readonly status: number;
  readonly retryAfterSeconds: number | undefined;
  readonly parameters: Readonly<Record<string, string | number>>;

  constructor(
    readonly code: OAuthErrorCode,
    readonly description: string,
    options: OAuthErrorOptions = {},
  ) {
    super(`${code}: ${description}`, { cause: options.cause });
    this.status = options.status ?? oauthErrorCodes[code].status;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.parameters = options.parameters ?? {};
  }

  /** The JSON body of RFC 6749 §5.2. */
  toJSON(): { error: OAuthErrorCode; error_description: string; [member: string]: string | number } {
    // Quotes and backslashes are outside the grammar of error_description, and would break a quoted-string.
    return {
      ...this.parameters,
      error: this.code,
      error_description: this.description.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '?'),
    };
  }
}
