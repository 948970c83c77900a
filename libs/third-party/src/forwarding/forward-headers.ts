import type { Forwarding } from './forwarding.js';

type Headers = Readonly<Record<string, string | undefined>>;

/**
 * What a caller may say to a third party: what content is sent, which it takes, and under which conditions. Everything
 * else stays here: credentials and cookies, where the caller is, hop-by-hop headers, those that mean another method.
 */
const requestHeaders = [
  'accept',
  'accept-language',
  'content-encoding',
  'content-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'prefer',
  'range',
];

/** What a third party may say to a caller: no cookies, no challenges, nothing that speaks about our own origin. */
const responseHeaders = [
  'accept-ranges',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'ratelimit',
  'ratelimit-limit',
  'ratelimit-policy',
  'ratelimit-remaining',
  'ratelimit-reset',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
];

export function forwardedRequestHeaders(
  headers: Headers,
  forwarding: Pick<Forwarding, 'requestHeaders'>,
): Record<string, string> {
  return pick(headers, [...requestHeaders, ...forwarding.requestHeaders]);
}

export function forwardedResponseHeaders(
  headers: Headers,
  forwarding: Pick<Forwarding, 'responseHeaders'>,
): Record<string, string> {
  return pick(headers, [...responseHeaders, ...forwarding.responseHeaders]);
}

function pick(headers: Headers, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}
