import type { ElicitationOffer, ThirdPartyTokenRequest } from '@behalf/contracts';
import type { ExchangeDependencies, TokenClaims } from './ports.js';

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

export interface ThirdPartyDependencies extends Omit<
  ExchangeDependencies,
  'signer' | 'newId' | 'maxLifetimeSeconds'
> {
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
