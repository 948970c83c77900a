import type { Readable } from 'node:stream';
import type { ForwardMethod } from './forwarding/forwarding.js';

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

/** A call that is made for somebody else. */
export interface RelayRequest {
  readonly method: ForwardMethod;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Readable;
  readonly internalHosts: readonly string[];
  readonly signal: AbortSignal;
  readonly maxBytes: number;
  /** For the whole of it, the last byte of the answer included. */
  readonly timeoutMs: number;
}

/** An answer that is being read; its body ends with a TransportFailure when there is too much of it. */
export interface RelayedAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The same for an answer that is passed on while it arrives: with any status, redirects included, which are not
 * followed. When `consume` has finished, the connection is gone.
 *
 * @throws TransportFailure, what `consume` throws, or the signal's reason
 */
export type OutboundRelay = <T>(
  url: string,
  request: RelayRequest,
  consume: (answer: RelayedAnswer) => Promise<T>,
) => Promise<T>;

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
