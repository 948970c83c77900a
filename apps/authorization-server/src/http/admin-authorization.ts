import { readOwnAccessToken } from '@behalf/adapter-oidc-provider';
import type { BehalfConfig } from '@behalf/config';
import { OAuthError, parseScope } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import { type AccessTokenClaims, readBearerToken } from '@behalf/resource-server';
import type { Request } from 'express';
import type { IssuerKeys } from '../issuer-keys.js';

/** Who may administer: the bearer of a token for administration with the scope `admin`. */
export class AdminAuthorization {
  constructor(
    private readonly config: BehalfConfig,
    private readonly clock: Clock,
    private readonly records: RecordStore,
    private readonly issuerKeys: IssuerKeys,
  ) {}

  /** @throws OAuthError `invalid_token`, `insufficient_scope` */
  async check(request: Request): Promise<AccessTokenClaims> {
    try {
      return await this.#verify(request);
    } catch (error) {
      // RFC 6750 §3: the refusal names the scheme, and what was wrong if a token came at all.
      const presented = request.headers.authorization !== undefined && error instanceof OAuthError;
      request.res?.set('WWW-Authenticate', presented ? `Bearer error="${error.code}"` : 'Bearer');
      throw error;
    }
  }

  async #verify(request: Request): Promise<AccessTokenClaims> {
    const { issuer, paths } = this.config.authorizationServer;
    const token = readBearerToken(request.headers.authorization, new URL(request.url, issuer).searchParams);
    if (token === undefined) throw new OAuthError('invalid_token', 'an access token is required');
    const claims = await readOwnAccessToken(token, {
      issuer,
      verificationKeys: this.issuerKeys.get,
      records: this.records,
      clock: this.clock,
    });
    if (claims.aud !== `${issuer}${paths.admin}`) {
      throw new OAuthError('invalid_token', 'the access token is for another resource');
    }
    if (!parseScope(claims.scope).has('admin')) throw new OAuthError('insufficient_scope', 'admin is needed');
    return claims;
  }
}
