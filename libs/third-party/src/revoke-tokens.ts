import * as client from 'openid-client';
import type { OutboundHttp } from './http.js';
import { retryAfter } from './normalise-token-response.js';
import type { RevokeRequest } from './ports.js';
import { UnusableReply } from './provider-failure.js';
import type { ProviderClient, ProviderRevocation } from './provider.js';

export interface RevokeTokensOptions {
  readonly revocation: ProviderRevocation;
  readonly credentials: ProviderClient;
  readonly http: OutboundHttp;
  readonly internalHosts: readonly string[];
  readonly config: client.Configuration;
}

/**
 * Gives a grant back. By RFC 7009 both tokens are revoked, the refresh token first: it makes new access tokens, and
 * not every server ends one with the other.
 */
export async function revokeTokens(request: RevokeRequest, options: RevokeTokensOptions): Promise<void> {
  const { accessToken, refreshToken } = request;
  switch (options.revocation.style) {
    case 'rfc7009':
      if (refreshToken !== undefined) {
        await revokeOne(options.config, refreshToken, 'refresh_token');
      }
      return revokeOne(options.config, accessToken, 'access_token');
    case 'bearer':
      return send(options, 'POST', `Bearer ${accessToken}`);
    case 'github':
      return send(
        options,
        'DELETE',
        basic(options.credentials),
        JSON.stringify({ access_token: accessToken }),
      );
  }
}

async function revokeOne(config: client.Configuration, token: string, hint: string): Promise<void> {
  try {
    await client.tokenRevocation(config, token, { token_type_hint: hint });
  } catch (error) {
    // RFC 7009 §2.2 wants 200 for a token that nobody knows; Google, which ends both tokens with one, says this.
    if (!(error instanceof client.ResponseBodyError) || error.error !== 'invalid_token') throw error;
  }
}

async function send(
  { revocation, credentials, http, internalHosts }: RevokeTokensOptions,
  method: 'POST' | 'DELETE',
  authorization: string,
  body?: string,
): Promise<void> {
  const url = revocation.endpoint.replace('{client_id}', encodeURIComponent(credentials.id));
  const headers = { accept: 'application/json', authorization };
  const reply = await http(url, {
    method,
    headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
    internalHosts,
  });
  // A token that is refused, or that nobody knows, is revoked already.
  const isDone = (reply.status >= 200 && reply.status < 300) || [401, 404, 422].includes(reply.status);
  if (!isDone) throw new UnusableReply(reply.status, retryAfter(reply));
}

/** GitHub knows the client by HTTP Basic here. @see https://docs.github.com/rest/apps/oauth-applications */
function basic(credentials: ProviderClient): string {
  const secret = 'secret' in credentials ? credentials.secret() : '';
  return `Basic ${Buffer.from(`${credentials.id}:${secret}`).toString('base64')}`;
}
