import { OAuthError } from '@behalf/oauth';

/** An access token as it came: the scheme says whether its presenter means to prove possession of a key. */
export interface PresentedToken {
  scheme: 'Bearer' | 'DPoP';
  token: string;
}

/**
 * Takes the token out of the `Authorization` header; undefined when there is none.
 *
 * A token in the query is refused whatever the header says: URLs end up in logs and histories.
 *
 * @throws OAuthError `invalid_request` for a malformed header or a token in the query
 * @see RFC 6750 §2.1, RFC 9449 §7.1, OAuth 2.1 §5.1.1; MCP 2026-07-28 authorization, "Access Token Usage"
 */
export function readPresentedToken(
  authorization: string | undefined,
  query: URLSearchParams,
): PresentedToken | undefined {
  if (query.has('access_token')) {
    throw new OAuthError('invalid_request', 'an access token must not be sent in the query');
  }
  if (authorization === undefined) return undefined;
  const [name, token, ...rest] = authorization.trim().split(/ +/);
  const scheme = (['Bearer', 'DPoP'] as const).find((known) => known.toLowerCase() === name?.toLowerCase());
  if (!scheme) return undefined;
  if (token === undefined || rest.length > 0 || !/^[A-Za-z0-9\-._~+/]+=*$/.test(token)) {
    throw new OAuthError('invalid_request', 'the Authorization header is malformed');
  }
  return { scheme, token };
}

/**
 * The same for resources that take bearer tokens only.
 *
 * @throws OAuthError `invalid_request`
 */
export function readBearerToken(
  authorization: string | undefined,
  query: URLSearchParams,
): string | undefined {
  const presented = readPresentedToken(authorization, query);
  return presented?.scheme === 'Bearer' ? presented.token : undefined;
}
