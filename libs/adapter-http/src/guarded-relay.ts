import {
  type DialRequest,
  type GuardOptions,
  type Headers,
  dialFor,
  headersOf,
  refuseInProduction,
} from './dial.js';
import { readInPieces } from './read-body.js';

export interface RelayRequest extends DialRequest {
  /** Hosts that may be dialled although they are inside our own network. */
  readonly internalHosts?: readonly string[];
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes: number;
  /** For the whole of it, the last byte of the answer included. */
  readonly timeoutMs: number;
}

/** An answer that is being read. */
export interface RelayedAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Headers;
  /** Ends with a GuardedFetchError when there is more of it than `maxBytes`. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * A request on behalf of somebody else, whose answer is passed on while it arrives: guarded as every fetch, with any
 * status, redirects included, which are not followed.
 *
 * @param consume reads the answer; when it has finished the connection is gone
 * @throws GuardedFetchError, what `consume` throws, or the signal's reason when the caller gave up
 */
export type GuardedRelay = <T>(
  url: string,
  request: RelayRequest,
  consume: (answer: RelayedAnswer) => Promise<T>,
) => Promise<T>;

/** @throws Error when loopback is to be allowed in production */
export function createGuardedRelay(
  options: Pick<GuardOptions, 'allowLoopback' | 'ca' | 'resolve'>,
): GuardedRelay {
  refuseInProduction(options);
  return (url, { internalHosts = [], signal, maxBytes, timeoutMs, ...request }, consume) =>
    dialFor(url, { ...options, maxBytes, timeoutMs, internalHosts, signal }, request, (response) =>
      consume({
        status: response.statusCode,
        headers: headersOf(response),
        body: readInPieces(response, url, maxBytes),
      }),
    );
}
