import type { AccessTokenClaims } from '@behalf/resource-server';
import type { SpanContext } from '@opentelemetry/api';
import type { DpopKey } from './dpop-key.js';

export interface TokenExchangeRequest {
  /** The caller's token, addressed to this gateway. */
  subjectToken: string;
  /** The DPoP proof that it came with, when it is bound to a key. */
  subjectProof?: string | undefined;
  /** Its claims, for decorators that cache. */
  claims: AccessTokenClaims;
  /** The upstream's resource identifier. */
  resource: string;
  /** The scopes to ask for; without them the authorization server decides. */
  scopes?: readonly string[] | undefined;
}

export interface ExchangedToken {
  accessToken: string;
  expiresInSeconds: number | undefined;
  /** The key it is bound to, which proves every request that carries it; a bearer token without. */
  key?: DpopKey | undefined;
  /** The span of the exchange, which every use of the token is linked to. */
  exchangedIn?: SpanContext | undefined;
}

/** Gets a token for an upstream on behalf of the caller. @see RFC 8693 */
export interface TokenExchanger {
  /** @throws McpError 403 when it was refused, 503 when nobody answered */
  exchange(request: TokenExchangeRequest, signal: AbortSignal): Promise<ExchangedToken>;
}
export const TOKEN_EXCHANGER = Symbol('TOKEN_EXCHANGER');
