import type { Dispatcher } from 'undici';
import { type GuardOptions, dial, headersOf, refuseInProduction } from './dial.js';
import { GuardedFetchError } from './guarded-fetch-error.js';

export interface GuardedFetchOptions extends GuardOptions {
  /** Refuses anything that is not application/json or some +json. */
  jsonOnly?: boolean;
}

export interface GuardedResponse {
  readonly status: 200;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** May be shared with a cache: not to be changed. */
  readonly body: Uint8Array;
}

/** @throws GuardedFetchError, or the signal's reason when the caller gave up */
export type GuardedFetch = (
  url: string,
  options?: { signal?: AbortSignal | undefined },
) => Promise<GuardedResponse>;

/**
 * The only way to fetch what a stranger named: GET over https, no redirects, no credentials, no special-use address
 * (checked on the address that is dialled), a small body in a short time, and only status 200 counts.
 *
 * Does not look at the body, and does not limit how often it is called.
 *
 * @throws Error when loopback is to be allowed in production
 * @see draft-ietf-oauth-client-id-metadata-document §6
 */
export function createGuardedFetch(options: GuardedFetchOptions): GuardedFetch {
  refuseInProduction(options);
  return async (text, { signal } = {}) => {
    const { body, headers } = await dial(text, { ...options, signal }, getJson, (response) =>
      checkHead(response, text, options),
    );
    return { status: 200, headers, body };
  };
}

const getJson = { method: 'GET', headers: { accept: 'application/json' } } as const;

function checkHead(
  response: Dispatcher.ResponseData,
  url: string,
  options: GuardedFetchOptions,
): Record<string, string> {
  const { statusCode } = response;
  if (statusCode >= 300 && statusCode < 400) throw new GuardedFetchError('redirect', url);
  if (statusCode !== 200) throw new GuardedFetchError('status', url);
  const headers = headersOf(response);
  const mediaType = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isJson = mediaType === 'application/json' || /^[\w.!#$&^-]+\/[\w.!#$&^-]+\+json$/.test(mediaType);
  if (options.jsonOnly && !isJson) throw new GuardedFetchError('content_type', url);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new GuardedFetchError('content_type', url);
  return headers;
}
