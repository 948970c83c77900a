/**
 * The form two spellings of one resource are compared in: scheme and host in lower case, no default port, and no
 * slash that stands for an empty path. Everything after the authority keeps its bytes.
 *
 * Only for look-up. What goes into `aud` is the registered spelling.
 *
 * @see MCP 2026-07-28, authorization, "Canonical Server URI"
 */
export function canonicalResource(value: string): string {
  const url = URL.parse(value);
  const afterAuthority = /^https?:\/\/[^/?#\\]*(.*)/is.exec(value)?.[1];
  // What only a lenient parser takes for a URL stays as it is: no resource is registered so.
  if (!url || afterAuthority === undefined) return value;
  return `${url.protocol}//${url.host}${afterAuthority === '/' ? '' : afterAuthority}`;
}

/**
 * Where a resource publishes its metadata: the well-known segment goes between the host and the path.
 *
 * @see RFC 9728 §3.1
 */
export function protectedResourceMetadataUrl(resource: string): string {
  const url = new URL(resource);
  const path = url.pathname === '/' ? '' : url.pathname;
  return `${url.origin}/.well-known/oauth-protected-resource${path}${url.search}`;
}
