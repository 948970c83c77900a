import { readOwnAccessToken } from '@behalf/adapter-oidc-provider';
import type { ClientCertificates } from '@behalf/client-certificate';
import type { BehalfConfig } from '@behalf/config';
import { OAuthError, parseScope } from '@behalf/oauth';
import type { Clock, RecordStore } from '@behalf/ports';
import {
  type AccessTokenClaims,
  dpopAlgorithms,
  readPresentedToken,
  type SenderConstraints,
} from '@behalf/resource-server';
import type { Request } from 'express';
import type { IssuerKeys } from '../issuer-keys.js';

export interface TokenAuthorizationOptions {
  clock: Clock;
  records: RecordStore;
  issuerKeys: IssuerKeys;
  constraints: SenderConstraints;
  certificates: ClientCertificates;
}

/** Whose token opens one of the resources that this server is itself. */
export class TokenAuthorization {
  constructor(
    private readonly config: BehalfConfig,
    private readonly options: TokenAuthorizationOptions,
  ) {}

  /**
   * A token for the resource with one of the scopes.
   *
   * @param path the resource's, below the issuer
   * @throws OAuthError `invalid_token`, `insufficient_scope`, `invalid_dpop_proof`, `use_dpop_nonce`
   */
  async checkFor(request: Request, path: string, scopes: readonly string[]): Promise<AccessTokenClaims> {
    try {
      return await this.#verify(request, path, scopes);
    } catch (error) {
      this.#challenge(request, error);
      throw error;
    }
  }

  async #verify(request: Request, path: string, scopes: readonly string[]): Promise<AccessTokenClaims> {
    const { issuer } = this.config.authorizationServer;
    const { constraints, certificates, issuerKeys, ...stores } = this.options;
    const presented = readPresentedToken(
      request.headers.authorization,
      new URL(request.url, issuer).searchParams,
    );
    if (presented === undefined) throw new OAuthError('invalid_token', 'an access token is required');
    const claims = await readOwnAccessToken(presented.token, {
      issuer,
      verificationKeys: issuerKeys.get,
      ...stores,
    });
    if (claims.aud !== `${issuer}${path}`) {
      throw new OAuthError('invalid_token', 'the access token is for another resource');
    }
    await constraints.check(claims, {
      ...presented,
      proofs: request.headersDistinct['dpop'] ?? [],
      method: request.method,
      url: this.#publicUrl(request),
      certificateThumbprint: certificates.thumbprint(request),
    });
    const held = parseScope(claims.scope);
    if (!scopes.some((scope) => held.has(scope)))
      throw new OAuthError('insufficient_scope', `${scopes.join(' or ')} is needed`);
    return claims;
  }

  /** The path below the issuer's, on the address that the issuer is known by. */
  #publicUrl({ originalUrl }: Request): string {
    const { origin, pathname } = new URL(this.config.authorizationServer.issuer);
    const issuerPath = pathname.replace(/\/$/, '');
    const path = originalUrl.split('?', 1)[0] ?? '/';
    return `${origin}${path.startsWith(`${issuerPath}/`) ? path : `${issuerPath}${path}`}`;
  }

  /** RFC 6750 §3, RFC 9449 §7.1: the refusal names the scheme, and what was wrong if a token came at all. */
  #challenge({ headers, res }: Request, error: unknown): void {
    const code = headers.authorization !== undefined && error instanceof OAuthError ? error.code : undefined;
    const isDpop = /^dpop /i.test(headers.authorization ?? '');
    const parameters = [
      ...(code === undefined ? [] : [`error="${code}"`]),
      ...(isDpop ? [`algs="${dpopAlgorithms.join(' ')}"`] : []),
    ].join(', ');
    res?.set('WWW-Authenticate', `${isDpop ? 'DPoP' : 'Bearer'} ${parameters}`.trim());
    if (isDpop) res?.set('DPoP-Nonce', this.options.constraints.nonce);
  }
}
