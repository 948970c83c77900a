import type { Provider } from './provider.js';

/** What a third party gave for one person. Secrets: to be sealed, never logged. */
export interface ProviderTokens {
  readonly accessToken: string;
  /** `Bearer`, in whatever case the provider wrote it. */
  readonly tokenType: string;
  /** Undefined when the provider does not say and its quirks do not know. */
  readonly expiresInSeconds: number | undefined;
  readonly refreshToken: string | undefined;
  /** What was granted; what was asked for when the response does not say (RFC 6749 §5.1). */
  readonly scopes: readonly string[];
  /** The account at the third party, as it names it: personal data, for its owner's eyes only. */
  readonly account: string | undefined;
  /** What the third party knows the account by, for good; personal data, too. */
  readonly accountId?: string | undefined;
  /** The client these tokens belong to, where it was registered dynamically: a refresh has to use the same one. */
  readonly client: RegisteredClient | undefined;
}

/** A client that an authorization server gave us. Keyed by issuer: it means nothing anywhere else. */
export interface RegisteredClient {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

export interface AuthorizationStart {
  /** Where the browser goes. */
  readonly url: string;
  /** Kept on our side under `state` until the callback, which uses it once. */
  readonly pending: PendingAuthorization;
}

/** What was decided before the browser left: the callback is compared with this and nothing that it brings itself. */
export interface PendingAuthorization {
  readonly providerId: string;
  readonly state: string;
  readonly redirectUri: string;
  /** Secret. */
  readonly codeVerifier: string;
  readonly scopes: readonly string[];
  readonly resource: string;
  /** The issuer as it was before the redirect; undefined for providers without one. @see RFC 9207 §2.4 */
  readonly issuer: string | undefined;
  readonly client: RegisteredClient | undefined;
}

export interface AuthorizationRequest {
  readonly redirectUri: string;
  /** Fresh and unguessable; the caller keeps `pending` under it. */
  readonly state: string;
  readonly scopes: readonly string[];
}

export interface StaticCredentialProbe {
  readonly account: string | undefined;
}

export interface RefreshRequest {
  readonly refreshToken: string;
  readonly scopes: readonly string[];
  readonly client: RegisteredClient | undefined;
  readonly signal?: AbortSignal;
}

/** What to give back. */
export interface RevokeRequest {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly client: RegisteredClient | undefined;
}

/** Everything that is asked of third parties. @throws ThirdPartyError from every verb */
export interface ThirdParties {
  authorizationUrl(provider: Provider, request: AuthorizationRequest): Promise<AuthorizationStart>;
  redeemCode(
    provider: Provider,
    pending: PendingAuthorization,
    callback: URLSearchParams,
  ): Promise<ProviderTokens>;
  refresh(provider: Provider, request: RefreshRequest): Promise<ProviderTokens>;
  /** `unsupported` when the provider has no way to. */
  revoke(provider: Provider, request: RevokeRequest): Promise<'revoked' | 'unsupported'>;
  probeStaticCredential(provider: Provider, credential: string): Promise<StaticCredentialProbe>;
}
