export type GuardedFetchReason =
  /** Not https (or http to loopback where that is allowed), or it carries credentials. */
  | 'forbidden_url'
  /** The host is, or resolves to, an address that is not global unicast. */
  | 'forbidden_address'
  /** The server wants us to go elsewhere. */
  | 'redirect'
  /** Any other status than 200. */
  | 'status'
  | 'content_type'
  | 'too_large'
  | 'timeout'
  /** Name resolution, connection or TLS failed, or the answer was not HTTP. */
  | 'unreachable';

/** A document that a stranger named was not fetched. The URL is in `url`, not in the message: it may be long or hostile. */
export class GuardedFetchError extends Error {
  override readonly name = 'GuardedFetchError';
  /** Whether there was a connection, so that the other side may have acted on the request. */
  readonly wasSent: boolean;

  constructor(
    readonly reason: GuardedFetchReason,
    readonly url: string,
    { wasSent = false, ...options }: ErrorOptions & { wasSent?: boolean } = {},
  ) {
    super(`guarded fetch refused: ${reason}`, options);
    this.wasSent = wasSent;
  }
}
