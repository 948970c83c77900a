import type { ElicitationOffer, ThirdPartyTokenRequest } from '@behalf/contracts';
import type { AuditRecord } from '@behalf/audit';
import type { RevocableClaims } from '@behalf/revocation';
import type { ExchangeDependencies, ExchangeRequest, TokenClaims } from './ports.js';

/** A resource of somebody else, whose tokens people lend us. */
export interface ThirdPartyTarget {
  /** The identifier by which policy and the vault know it. */
  resource: string;
  provider: string;
  scopes: readonly string[];
  /** Asked for when a client names none. */
  defaultScopes: readonly string[];
}

export type ThirdPartyAnswer =
  | {
      outcome: 'token';
      accessToken: string;
      tokenType: string;
      expiresInSeconds?: number | undefined;
      scopes: readonly string[];
    }
  | { outcome: 'interaction_required'; elicitation: ElicitationOffer };

/** A third party's token with all that has to hold for as long as it is given out again. */
export interface LentToken {
  accessToken: string;
  tokenType: string;
  scopes: readonly string[];
  /** Undefined: until the third party refuses it. */
  expiresAtSeconds: number | undefined;
  /** Not given out again from then on. */
  keptUntilSeconds: number;
  person: string;
  provider: string;
  /** The claims of the tokens that were presented, and the chain that they are lent to: none of them may be revoked. */
  ties: RevocableClaims[];
  /** The policies that permitted it; undefined when that is not known, or not one version. */
  policyVersion: string | undefined;
  /** What was recorded of the exchange, but for its time and trace. */
  record: AuditRecord;
}

/** Answers equal exchanges for a while without opening the credential again. */
export interface LentTokenCache {
  /**
   * @param lend decides, and has the vault open the credential
   * @param isStillGood asked of every token that was not lent just now
   */
  through(
    request: ExchangeRequest,
    lend: () => Promise<LentToken>,
    isStillGood: (lent: LentToken) => Promise<boolean>,
  ): Promise<{ lent: LentToken; isKept: boolean }>;
}

export interface ThirdPartyDependencies extends Omit<
  ExchangeDependencies,
  'signer' | 'newId' | 'maxLifetimeSeconds' | 'cache'
> {
  /** Without it each exchange opens the credential. */
  lentTokens?: LentTokenCache | undefined;
  findThirdParty: (identifier: string) => ThirdPartyTarget | undefined;
  /** Asks the elicitation service. @throws OAuthError what it refused with, or `temporarily_unavailable` */
  requestThirdPartyToken: (request: ThirdPartyTokenRequest) => Promise<ThirdPartyAnswer>;
  /** The client that the person uses, which began the chain, and what everybody in it calls themselves. */
  describeChain: (
    subject: TokenClaims,
    actors: readonly string[],
  ) => Promise<{ client: string; names: Record<string, string> }>;
}

/** @see RFC 8693 §2.2.1 */
export interface ThirdPartyTokenResponse {
  access_token: string;
  issued_token_type: string;
  token_type: string;
  expires_in?: number | undefined;
  scope: string;
}
