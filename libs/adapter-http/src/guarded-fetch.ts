import { isIP } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { GuardedFetchError } from './guarded-fetch-error.js';
import { type AddressRule, type ResolveHost, addressRule, guardedLookup } from './guarded-lookup.js';
import { readBody } from './read-body.js';

export interface GuardedFetchOptions {
  /** For development: plain http, and loopback addresses. */
  allowLoopback: boolean;
  maxBytes: number;
  /** For the whole of it, from name resolution to the last byte. */
  timeoutMs: number;
  /** Refuses anything that is not application/json or some +json. */
  jsonOnly?: boolean;
  /** Certificates (PEM) trusted in place of the usual authorities. */
  ca?: string;
  /** Takes the place of the system's name resolution. */
  resolve?: ResolveHost;
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
  if (options.allowLoopback && process.env['NODE_ENV'] === 'production') {
    throw new Error('loopback addresses cannot be allowed in production');
  }
  return async (text, { signal } = {}) => {
    const url = URL.parse(text);
    if (!url || url.username !== '' || url.password !== '')
      throw new GuardedFetchError('forbidden_url', text);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.allowLoopback)) {
      throw new GuardedFetchError('forbidden_url', text);
    }
    signal?.throwIfAborted();
    const deadline = AbortSignal.timeout(options.timeoutMs);
    try {
      return await get(url, text, options, signal ? AbortSignal.any([signal, deadline]) : deadline);
    } catch (error) {
      signal?.throwIfAborted();
      throw deadline.aborted
        ? new GuardedFetchError('timeout', text, { cause: error })
        : asGuarded(error, text);
    }
  };
}

async function get(
  url: URL,
  text: string,
  options: GuardedFetchOptions,
  signal: AbortSignal,
): Promise<GuardedResponse> {
  const allowed = addressRule(url.protocol, options.allowLoopback);
  checkLiteral(url, text, allowed);
  // A connection of its own for each fetch: every one is dialled, and so checked, anew, and no stranger's origin stays.
  const client = new Client(url.origin, {
    allowH2: false,
    pipelining: 0,
    maxHeaderSize: 16_384,
    connect: {
      lookup: guardedLookup(text, allowed, options.resolve),
      timeout: options.timeoutMs,
      ...(options.ca !== undefined && { ca: options.ca }),
    },
  });
  try {
    const response = await client.request({
      method: 'GET',
      path: `${url.pathname}${url.search}`,
      headers: { accept: 'application/json', 'accept-encoding': 'identity' },
      signal,
    });
    const headers = checkHead(response, text, options);
    return { status: 200, headers, body: await readBody(response, text, options.maxBytes) };
  } finally {
    await client.destroy();
  }
}

/** Sockets resolve names only, so an address in the URL is checked here. The URL parser has undone 0x7f.1 and the like. */
function checkLiteral(url: URL, text: string, allowed: AddressRule): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !allowed(host)) throw new GuardedFetchError('forbidden_address', text);
}

function checkHead(
  response: Dispatcher.ResponseData,
  url: string,
  options: GuardedFetchOptions,
): Record<string, string> {
  const { statusCode } = response;
  if (statusCode >= 300 && statusCode < 400) throw new GuardedFetchError('redirect', url);
  if (statusCode !== 200) throw new GuardedFetchError('status', url);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const mediaType = headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const isJson = mediaType === 'application/json' || /^[\w.!#$&^-]+\/[\w.!#$&^-]+\+json$/.test(mediaType);
  if (options.jsonOnly && !isJson) throw new GuardedFetchError('content_type', url);
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new GuardedFetchError('content_type', url);
  return headers;
}

function asGuarded(error: unknown, url: string): GuardedFetchError {
  for (let link = error; link instanceof Error; link = link.cause)
    if (link instanceof GuardedFetchError) return link;
  return new GuardedFetchError('unreachable', url, { cause: error });
}
