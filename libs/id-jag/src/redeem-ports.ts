import type { AuditLog } from '@behalf/audit';
import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import type { ActClaim, Confirmation } from '@behalf/oauth';
import type { ExchangeCeiling, ExchangeTarget } from '@behalf/token-exchange';

export interface RedeemRequest {
  client: {
    clientId: string;
    /** False for clients that authenticate with nothing. */
    isConfidential: boolean;
    /** The most an agent may have; undefined for other clients, which have what the assertion says. */
    ceiling: ExchangeCeiling | undefined;
  };
  assertion: string | undefined;
  resource: string | undefined;
  scope: string | undefined;
  /** The keys that the client proved to hold on this request. */
  proof: Confirmation | undefined;
  nowSeconds: number;
  traceId?: string | undefined;
}

/** What the operator says of an issuer of ID-JAGs. */
export interface AssertionIssuer {
  issuer: string;
  /** Clients that may redeem its assertions; all that it names without it. */
  clients?: readonly string[] | undefined;
  tenant?: string | undefined;
}

export interface RedeemDependencies {
  issuer: string;
  accessTokenSeconds: number;
  /** The issuer that an assertion says it is from, if it is trusted for this. */
  findIssuer: (assertion: string) => AssertionIssuer | undefined;
  /**
   * Verifies signature, `typ`, `iss`, the single `aud` and the times. Rejects with an OAuthError;
   * `temporarily_unavailable` when the keys of the issuer cannot be had.
   */
  verify: (
    assertion: string,
    trusted: AssertionIssuer,
  ) => Promise<{ claims: Record<string, unknown>; issuedAtMs: number }>;
  /** Names the actors of another issuer so that none reads like one of ours. Throws for what is malformed. */
  qualifyActors: (act: unknown, issuer: string) => ActClaim;
  /** Our name for the person; undefined for who is not known and must not become so. */
  findPerson: (identity: {
    issuer: string;
    subject: string;
  }) => Promise<{ sub: string; groups: string[] } | undefined>;
  /** A registered resource that people may let clients use. */
  findTarget: (identifier: string) => (ExchangeTarget & { defaultScopes: readonly string[] }) | undefined;
  decide: (evaluation: Evaluation) => Promise<EvaluationDecision>;
  /** True for the first use of an assertion, atomically. */
  useUp: (assertion: { issuer: string; jti: string; exp: number; issuedAtMs: number }) => Promise<boolean>;
  audit: Pick<AuditLog, 'append'>;
  newId: () => string;
}
