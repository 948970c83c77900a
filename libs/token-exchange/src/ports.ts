import type { AuditLog, AuditRecord } from '@behalf/audit';
import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import type { ActClaim, AuthorizationDetail, Confirmation, HandOver } from '@behalf/oauth';
import type { Signer } from '@behalf/ports';
import type { RevocableClaims } from '@behalf/revocation';
import type { ExchangeRefusal } from './exchange-refusal.js';

/** Who may become the next actor of a token. @see RFC 8693 §4.4 */
export interface MayAct {
  sub: string;
  iss: string;
  /** The key that the actor proves, where the token itself is bound to another. */
  cnf?: Confirmation;
}

/** What an exchange reads of a verified token. @see RFC 9068 §2.2, RFC 8693 §4 */
export interface TokenClaims {
  iss: string;
  sub: string;
  aud: string;
  client_id: string;
  exp: number;
  iat?: number | undefined;
  jti: string;
  scope: string;
  act?: ActClaim | undefined;
  may_act?: unknown;
  cnf?: unknown;
  /** @see RFC 9396 §9.1 */
  authorization_details?: AuthorizationDetail[] | undefined;
  groups?: string[] | undefined;
  auth_time?: number | undefined;
  sid?: string | undefined;
  grant_id?: string | undefined;
  txn?: string | undefined;
  /** The `jti` of every token this one came from, oldest first: revoking any of them ends this one. */
  lineage?: string[] | undefined;
  /** The delegation grants this token stands on: revoking any of them ends it. */
  delegations?: string[] | undefined;
}

/** What a verified subject token is, told by who issued it and as what. It decides which rules apply to it. */
export type SubjectKind = 'access_token' | 'id_token' | 'external' | 'transaction_token';

export type SubjectToken =
  | { kind: Exclude<SubjectKind, 'transaction_token'>; claims: TokenClaims }
  | { kind: 'transaction_token'; claims: TransactionTokenClaims };

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
  /** The types of authorization details it may carry; none without it. */
  authorizationDetailsTypes?: readonly string[] | undefined;
  /** Resources at which it may act as the person, unnamed. None without it. */
  impersonation?: readonly string[] | undefined;
  /** The most resources that one token of its may be for; one without it. */
  maxTargets?: number | undefined;
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
  /** Who of them tokens that are bound to a client certificate are handed over to. */
  handsOverTo?: HandOver | undefined;
  /**
   * `policy`: whoever policy permits may act here for a person. `grant`: only who the person, or an administrator,
   * gave a delegation grant to; policy is asked as well.
   */
  delegation?: 'policy' | 'grant' | undefined;
}

/** Which delegation is looked for: may this agent act for this person at this resource? */
export interface DelegationQuery {
  person: string;
  agent: string;
  resource: string;
  nowSeconds: number;
}

/** A query with what the agent would do. Of several grants the one that allows it is wanted. */
export interface DelegationNeed extends DelegationQuery {
  scopes: readonly string[];
  /** True when the request named its scope: then all of it is needed. Otherwise any of it will do. */
  isScopeNamed: boolean;
  /** Those that the request named: all of them are needed. */
  authorizationDetails: readonly AuthorizationDetail[];
}

/** What a person lets an agent do for them at one resource. */
export interface DelegationGrant {
  id: string;
  scopes: readonly string[];
  authorizationDetails: readonly AuthorizationDetail[];
  expiresAtSeconds: number;
}

/** Asks a person for a delegation grant. */
export interface DelegationRequest extends DelegationQuery {
  scopes: readonly string[];
  authorizationDetails: readonly AuthorizationDetail[];
}

/** Where the person decides, and how the agent learns of it. */
export interface PendingDelegation {
  consentUrl: string;
  requestId: string;
  expiresInSeconds: number;
  /** How long to wait between two attempts. */
  intervalSeconds: number;
}

/** Form parameters as they came; a repeated one is a list. */
export type ExchangeParameters = Record<string, string | string[] | undefined>;

/** A proof of the subject token's key that its presenter made for a resource, handed on by that resource. */
export interface RelayedProof {
  jkt: string;
  /** What it was made for (`htu`). */
  url: string;
}

export interface ExchangeRequest {
  client: RequestingClient;
  parameters: ExchangeParameters;
  /** The keys that the client proved to hold on this request; the caller has checked the proofs. */
  proof?: Confirmation | undefined;
  /** The caller has checked that it is fresh, made with the subject token, and was not handed on before. */
  relayedProof?: RelayedProof | undefined;
  nowSeconds: number;
  traceId?: string | undefined;
}

/** @see RFC 8693 §2.2.1 */
export interface ExchangeResponse {
  access_token: string;
  issued_token_type: string;
  /** `N_A` for what is no access token. */
  token_type: 'Bearer' | 'DPoP' | 'N_A';
  expires_in: number;
  scope: string;
  /** @see RFC 9396 §7 */
  authorization_details?: AuthorizationDetail[];
}

/** @see draft-ietf-oauth-transaction-tokens */
export interface TransactionTokenRules {
  /** What goes into `aud`, and what the `audience` of a request has to be. */
  trustDomain: string;
  maxLifetimeSeconds: number;
  /** How often a token may be replaced on its way. */
  maxReplacements: number;
  /** Verifies a transaction token of our own, as `verifyAccessToken` does an access token. */
  verify: (token: string) => Promise<TransactionTokenClaims>;
}

/** @see draft-ietf-oauth-transaction-tokens §5.2 */
export interface TransactionTokenClaims extends TokenClaims {
  /** The chain of exchanges, as in access tokens, is the transaction. */
  txn: string;
  /** The workload that asked for the token. */
  req_wl: string;
  /** What the transaction does. Once a member is there it never changes. */
  tctx: Readonly<Record<string, string>>;
  /** Where it came from; `call_chain` are the workloads that asked for the tokens before this one, the first one first. */
  rctx: Readonly<{ call_chain: readonly string[]; [member: string]: string | readonly string[] }>;
  /** The agent in whose hands the transaction is, and what for. */
  agentic_ctx?: Readonly<Record<string, string>> | undefined;
}

/** A signed token with all that has to hold for as long as it is given out again. */
export interface MintedToken {
  token: string;
  response: Omit<ExchangeResponse, 'access_token' | 'expires_in'>;
  issuedAtSeconds: number;
  expiresAtSeconds: number;
  /** The claims of the issued token and of every token it came from: none of them may be revoked. */
  ties: RevocableClaims[];
  /** The delegation grants it stands on, and how they were found. */
  delegations: { grantId: string; need: Omit<DelegationNeed, 'nowSeconds'> }[];
  /** The policies that permitted it; undefined when that is not known, or not one version. */
  policyVersion: string | undefined;
  /** What was recorded of the exchange, but for its time and trace. */
  record: AuditRecord;
}

export type ExchangeOutcome = MintedToken | ExchangeRefusal;

/** Where an outcome came from: made for this request, for one at the same time, or for one before. */
export type ExchangeSource = 'minted' | 'coalesced' | 'process' | 'shared';

/** Answers equal exchanges with one token, for as long as it is good. */
export interface ExchangeCache {
  /**
   * @param mint decides and signs; runs once for all equal requests at the same time
   * @param isStillGood asked of every token that was not made by `mint` just now for this request
   */
  through(
    request: ExchangeRequest,
    mint: () => Promise<ExchangeOutcome>,
    isStillGood: (minted: MintedToken) => Promise<boolean>,
  ): Promise<{ outcome: ExchangeOutcome; source: ExchangeSource }>;
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
  /** Verifies an ID token of our own issuer in the same way. Its `client_id` is the client it was issued to. */
  verifyIdToken?: (token: string) => Promise<TokenClaims>;
  /**
   * Verifies a token of an issuer that is not us: trusted or not, for this client or not. `sub` comes back as a name
   * that no person of ours has. Without it no other issuer is trusted.
   */
  verifyExternalToken?: (
    token: string,
    presented: { issuer: string; tokenType: string; clientId: string },
  ) => Promise<TokenClaims>;
  /** Transaction tokens are issued for this trust domain; for none without it. */
  transactionTokens?: TransactionTokenRules | undefined;
  /** The registered resource that an identifier names, whatever way it is spelt. */
  findTarget: (identifier: string) => ExchangeTarget | undefined;
  /** The live delegation grant, if there is one. Rejects when that cannot be known. */
  findDelegationGrant?: (need: DelegationNeed) => Promise<DelegationGrant | undefined>;
  /** Asks the person. Without it a missing grant is refused for good. */
  requestDelegation?: (request: DelegationRequest) => Promise<PendingDelegation>;
  /** Rejects when no decision could be had. */
  decide: (evaluation: Evaluation) => Promise<EvaluationDecision>;
  /**
   * The same for an exchange that is about to be recorded itself: `recorded` rejects when the decision could not be. Until
   * it has resolved nothing may come of the decision. Without it, and where there is none, a decision is recorded before
   * it is known.
   */
  decideAhead?: (evaluation: Evaluation) => Promise<EvaluationDecision & { recorded?: Promise<void> }>;
  signer: Signer;
  /**
   * Rejects with an OAuthError `invalid_token` when one of these tokens has been revoked. Needed with a cache only: the
   * verifiers above look as well.
   */
  checkNotRevoked?: (tokens: readonly RevocableClaims[]) => Promise<void>;
  /** Without it every exchange mints. */
  cache?: ExchangeCache | undefined;
  audit: Pick<AuditLog, 'append'>;
  /** A fresh, unguessable id. */
  newId: () => string;
}
