import type { BehalfConfig } from '@behalf/config';
import type { AccessTokenClaims } from '@behalf/resource-server';
import type { Request } from 'express';
import type { TokenAuthorization } from './token-authorization.js';

/** Who may administer: who presents a token for administration with the scope `admin`, or one that is enough. */
export class AdminAuthorization {
  constructor(
    private readonly config: BehalfConfig,
    private readonly tokens: TokenAuthorization,
  ) {}

  /** @throws OAuthError `invalid_token`, `insufficient_scope`, `invalid_dpop_proof`, `use_dpop_nonce` */
  async check(request: Request, anyOf: readonly string[] = ['admin']): Promise<AccessTokenClaims> {
    return this.tokens.checkFor(request, this.config.authorizationServer.paths.admin, anyOf);
  }
}
