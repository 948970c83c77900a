const loopbackHosts = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True for http on this machine, by any of its three names. */
export function isLoopbackRedirect(uri: string): boolean {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && loopbackHosts.has(url.hostname);
}

/**
 * Why a redirect URI cannot be registered; undefined when it can.
 *
 * https, or http on a loopback host: whatever `application_type` says, since clients say it wrong or not at all.
 * Everything else is refused, `javascript:` and `data:` among it.
 *
 * @see OAuth 2.1 §2.3, §8.4; MCP 2026-07-28 authorization, "Communication Security"
 */
export function redirectUriFault(uri: string): string | undefined {
  const url = URL.parse(uri);
  if (!url) return 'must only contain valid uris';
  if (uri.includes('#')) return 'must not contain fragments';
  if (url.username !== '' || url.password !== '') return 'must not contain credentials';
  if (url.protocol !== 'https:' && !isLoopbackRedirect(uri))
    return 'must only use https, or http on a loopback host';
  return undefined;
}

/**
 * Compares byte for byte, except for the port of a loopback URI, which the client learns only when it runs.
 *
 * @see RFC 8252 §7.3, OAuth 2.1 §8.4.2
 */
export function isRegisteredRedirect(presented: string, registered: readonly string[]): boolean {
  if (registered.includes(presented)) return true;
  const portless = withoutLoopbackPort(presented);
  return portless !== undefined && registered.some((uri) => withoutLoopbackPort(uri) === portless);
}

function withoutLoopbackPort(uri: string): string | undefined {
  if (!isLoopbackRedirect(uri)) return undefined;
  const authority = /^http:\/\/([^/?#]*)/i.exec(uri)?.[1];
  // A parser and we must see the same host: no user, no backslash, nothing but name and port.
  const host = authority && /^(localhost|127\.0\.0\.1|\[::1\])(?::\d*)?$/i.exec(authority)?.[1];
  return host ? `http://${host.toLowerCase()}${uri.slice('http://'.length + authority.length)}` : undefined;
}
