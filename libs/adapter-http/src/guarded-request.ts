import {
  type DialRequest,
  type GuardOptions,
  type Headers,
  dial,
  headersOf,
  refuseInProduction,
} from './dial.js';
import { GuardedFetchError } from './guarded-fetch-error.js';

export interface GuardedRequest extends DialRequest {
  /** Hosts that may be dialled although they are inside our own network. Over https, or http in development. */
  readonly internalHosts?: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

export interface GuardedReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/**
 * A request of any kind to somebody whom we trust with what is in it and with nothing else, such as a third party's
 * token endpoint: guarded as every fetch, with any status but a redirect, which would carry secrets elsewhere.
 *
 * @throws Error when loopback is to be allowed in production; GuardedFetchError from each request
 */
export function createGuardedRequest(
  options: GuardOptions,
): (url: string, request: GuardedRequest) => Promise<GuardedReply> {
  refuseInProduction(options);
  return (url, { internalHosts = [], signal, headers: given, ...rest }) => {
    // GitHub refuses requests that do not say who they are from.
    const request = { ...rest, headers: { 'user-agent': 'behalf', ...given } };
    return dial(url, { ...options, internalHosts, signal }, request, (response) => {
      const { statusCode } = response;
      if (statusCode >= 300 && statusCode < 400) throw new GuardedFetchError('redirect', url);
      const headers = headersOf(response);
      if ((headers['content-encoding'] ?? 'identity') !== 'identity')
        throw new GuardedFetchError('content_type', url);
      return headers;
    });
  };
}
