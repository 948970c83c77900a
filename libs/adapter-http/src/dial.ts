import { isIP } from 'node:net';
import type { Readable } from 'node:stream';
import { Client, type Dispatcher } from 'undici';
import { GuardedFetchError } from './guarded-fetch-error.js';
import { type AddressRule, type ResolveHost, addressRule, guardedLookup } from './guarded-lookup.js';
import { readBody } from './read-body.js';

export interface GuardOptions {
  /** For development: plain http, and loopback addresses. */
  allowLoopback: boolean;
  maxBytes: number;
  /** For the whole of it, from name resolution to the last byte. */
  timeoutMs: number;
  /** Certificates (PEM) trusted in place of the usual authorities. */
  ca?: string;
  /** Takes the place of the system's name resolution. */
  resolve?: ResolveHost;
}

export interface DialOptions extends GuardOptions {
  /** Hosts that may be inside our own network. */
  internalHosts?: readonly string[];
  signal?: AbortSignal | undefined;
}

export interface DialRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers: Readonly<Record<string, string>>;
  /** What is read piece by piece is sent piece by piece. */
  readonly body?: string | Readable;
}

/** Names in lower case. */
export type Headers = Record<string, string>;

/** @throws Error */
export function refuseInProduction({ allowLoopback }: Pick<GuardOptions, 'allowLoopback'>): void {
  if (allowLoopback && process.env['NODE_ENV'] === 'production') {
    throw new Error('loopback addresses cannot be allowed in production');
  }
}

/**
 * One request under guard, its answer read whole: the URL and the address that is dialled are checked, and the answer
 * is bounded in size and time.
 *
 * @param readHead judges status and headers before the body is read
 * @throws GuardedFetchError, what `readHead` throws, or the signal's reason when the caller gave up
 */
export async function dial(
  text: string,
  options: DialOptions,
  request: DialRequest,
  readHead: (response: Dispatcher.ResponseData) => Headers,
): Promise<{ status: number; headers: Headers; body: Uint8Array }> {
  return dialFor(text, options, request, async (response) => {
    const headers = readHead(response);
    return { status: response.statusCode, headers, body: await readBody(response, text, options.maxBytes) };
  });
}

/**
 * The same for an answer that `consume` reads as it likes: the connection is gone when it has finished, or the time is
 * over. The size is its own to bound.
 *
 * @throws GuardedFetchError, or the signal's reason when the caller gave up
 */
export async function dialFor<T>(
  text: string,
  options: DialOptions,
  request: DialRequest,
  consume: (response: Dispatcher.ResponseData) => Promise<T>,
): Promise<T> {
  const url = URL.parse(text);
  if (!url || url.username !== '' || url.password !== '') throw new GuardedFetchError('forbidden_url', text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && options.allowLoopback)) {
    throw new GuardedFetchError('forbidden_url', text);
  }
  const { signal } = options;
  signal?.throwIfAborted();
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const allowed = options.internalHosts?.includes(url.hostname)
    ? () => true
    : addressRule(url.protocol, options.allowLoopback);
  checkLiteral(url, text, allowed);
  // A connection of its own for each request: every one is dialled, and so checked, anew, and no stranger's origin stays.
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
  let wasSent = false;
  client.once('connect', () => {
    wasSent = true;
  });
  try {
    const response = await client.request({
      method: request.method,
      path: `${url.pathname}${url.search}`,
      headers: { ...request.headers, 'accept-encoding': 'identity' },
      ...(request.body !== undefined && { body: request.body }),
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    return await consume(response);
  } catch (error) {
    signal?.throwIfAborted();
    throw deadline.aborted
      ? new GuardedFetchError('timeout', text, { cause: error, wasSent })
      : asGuarded(error, text, wasSent);
  } finally {
    await client.destroy();
  }
}

export function headersOf(response: Dispatcher.ResponseData): Headers {
  const headers: Headers = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return headers;
}

/** Sockets resolve names only, so an address in the URL is checked here. The URL parser has undone 0x7f.1 and the like. */
function checkLiteral(url: URL, text: string, allowed: AddressRule): void {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !allowed(host)) throw new GuardedFetchError('forbidden_address', text);
}

function asGuarded(error: unknown, url: string, wasSent: boolean): GuardedFetchError {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (link instanceof GuardedFetchError) {
      return wasSent ? new GuardedFetchError(link.reason, url, { cause: link, wasSent }) : link;
    }
  }
  return new GuardedFetchError('unreachable', url, { cause: error, wasSent });
}
