import { OAuthError, protectedResourceMetadataUrl } from '@behalf/oauth';
import type { AccessTokenClaims } from '@behalf/resource-server';
import type { Request, Response } from 'express';
import { checkScope, verifyCaller } from '../forward/authenticate-caller.js';
import type { TokenChecks } from '../forward/forward-settings.js';

export const adminScope = 'vault:admin';

/**
 * Who may look after the vault: who presents a token for this service with the scope `vault:admin`. One that somebody
 * holds on behalf of a person administers nothing, whatever its scope.
 */
export class AdminAuthorization {
  constructor(
    private readonly checks: TokenChecks,
    private readonly publicUrl: string,
  ) {}

  /** @throws OAuthError as `verifyCaller`; `insufficient_scope` */
  async check(request: Request, response: Response): Promise<AccessTokenClaims> {
    const resource = this.publicUrl;
    const metadataUrl = protectedResourceMetadataUrl(resource);
    const called = { resource, metadataUrl, url: `${resource}${request.originalUrl.split('?', 1)[0]}` };
    const claims = await verifyCaller(request, response, called, this.checks);
    checkScope(claims, [adminScope], response, called);
    if (claims.act !== undefined || claims.sub !== claims.client_id)
      throw new OAuthError('insufficient_scope', 'the vault is not administered on behalf of somebody');
    return claims;
  }
}
