/** A request to a third party, as it is handed to the guarded transport. */
export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Hosts that may be dialled although they are inside our own network. */
  readonly internalHosts: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface OutboundReply {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * How third parties are reached: https (plain http to loopback in development only), no redirects, no special-use
 * address but those of `internalHosts`, bounded in size and time.
 *
 * @throws TransportFailure
 */
export type OutboundHttp = (url: string, request: OutboundRequest) => Promise<OutboundReply>;

/** Why there was no reply. */
export interface TransportFailure extends Error {
  /** `forbidden_url` and `forbidden_address`: it was not even tried. */
  readonly reason: string;
  /** Whether the request may have reached the other side. */
  readonly wasSent: boolean;
}

export function isTransportFailure(error: unknown): error is TransportFailure {
  return error instanceof Error && 'reason' in error && 'wasSent' in error;
}
