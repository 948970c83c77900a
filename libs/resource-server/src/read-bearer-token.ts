import { OAuthError } from '@behalf/oauth';

/**
 * Takes the token out of the `Authorization` header; undefined when there is none.
 *
 * A token in the query is refused whatever the header says: URLs end up in logs and histories.
 *
 * @throws OAuthError `invalid_request` for a malformed header or a token in the query
 * @see RFC 6750 §2.1, OAuth 2.1 §5.1.1; MCP 2026-07-28 authorization, "Access Token Usage"
 */
export function readBearerToken(
  authorization: string | undefined,
  query: URLSearchParams,
): string | undefined {
  if (query.has('access_token')) {
    throw new OAuthError('invalid_request', 'an access token must not be sent in the query');
  }
  if (authorization === undefined) return undefined;
  const [scheme, token, ...rest] = authorization.trim().split(/ +/);
  if (scheme?.toLowerCase() !== 'bearer') return undefined;
  if (token === undefined || rest.length > 0 || !/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    throw new OAuthError('invalid_request', 'the Authorization header is malformed');
  }
  return token;
}
