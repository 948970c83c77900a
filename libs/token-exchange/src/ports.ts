import type { AuditLog } from '@behalf/audit';
import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import type { ActClaim } from '@behalf/oauth';
import type { Signer } from '@behalf/ports';

/** What an exchange reads of a verified token. @see RFC 9068 §2.2, RFC 8693 §4 */
export interface TokenClaims {
  iss: string;
  sub: string;
  aud: string;
  client_id: string;
  exp: number;
  jti: string;
  scope: string;
  act?: ActClaim | undefined;
  may_act?: unknown;
  cnf?: unknown;
  groups?: string[] | undefined;
  auth_time?: number | undefined;
  sid?: string | undefined;
  grant_id?: string | undefined;
  txn?: string | undefined;
}

/** The authenticated client that asks. */
export interface RequestingClient {
  clientId: string;
  /** False for clients that authenticate with nothing. */
  isConfidential: boolean;
  /** What an operator lets it do on behalf of people; undefined: nothing. */
  ceiling: ExchangeCeiling | undefined;
}

export interface ExchangeCeiling {
  audiences: readonly string[];
  scopes: readonly string[];
  /** The most actors its tokens may name, itself included; below the limit that holds for everybody. */
  maxChainDepth?: number | undefined;
  /** The most its tokens live; below what holds for everybody. */
  maxLifetimeSeconds?: number | undefined;
}

/** A protected resource that tokens can be issued for. */
export interface ExchangeTarget {
  /** The identifier that goes into `aud`. */
  resource: string;
  scopes: readonly string[];
  /** Clients that are this resource: a token addressed to it is addressed to them. */
  servedBy: readonly string[];
}

/** Form parameters as they came; a repeated one is a list. */
export type ExchangeParameters = Record<string, string | string[] | undefined>;

export interface ExchangeRequest {
  client: RequestingClient;
  parameters: ExchangeParameters;
  nowSeconds: number;
  traceId?: string | undefined;
}

/** @see RFC 8693 §2.2.1 */
export interface ExchangeResponse {
  access_token: string;
  issued_token_type: string;
  token_type: 'Bearer';
  expires_in: number;
  scope: string;
}

export interface ExchangeDependencies {
  issuer: string;
  /** The most a delegated token lives. */
  maxLifetimeSeconds: number;
  /**
   * Verifies an access token of our own issuer for any audience: signature, `typ`, times, revocation.
   * Rejects with an OAuthError; `temporarily_unavailable` when it could not be decided.
   */
  verifyAccessToken: (token: string) => Promise<TokenClaims>;
  /** The registered resource that an identifier names, whatever way it is spelt. */
  findTarget: (identifier: string) => ExchangeTarget | undefined;
  /** Rejects when no decision could be had. */
  decide: (evaluation: Evaluation) => Promise<EvaluationDecision>;
  signer: Signer;
  audit: Pick<AuditLog, 'append'>;
  /** A fresh, unguessable id. */
  newId: () => string;
}
