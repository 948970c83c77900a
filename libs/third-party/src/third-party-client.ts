import type { Clock } from '@behalf/ports';
import { timingSafeEqual } from 'node:crypto';
import * as client from 'openid-client';
import { type ClientRegistrations, chooseClient, credentialsOf } from './client-choice.js';
import type { OutboundHttp } from './http.js';
import { splitScopes } from './normalise-token-response.js';
import { buildOAuthClient } from './oauth-client.js';
import type {
  AuthorizationRequest,
  AuthorizationStart,
  PendingAuthorization,
  ProviderTokens,
  RefreshRequest,
  RegisteredClient,
  RevokeRequest,
  StaticCredentialProbe,
  ThirdParties,
} from './ports.js';
import { readIdentity } from './read-identity.js';
import { probeStaticCredential } from './probe-static-credential.js';
import { asThirdPartyError } from './provider-failure.js';
import { MetadataSource, type ProviderMetadata } from './provider-metadata.js';
import type { McpProvider, OAuthProvider, Provider } from './provider.js';
import { registerClient } from './register-client.js';
import { revokeTokens } from './revoke-tokens.js';
import { ThirdPartyError } from './third-party-error.js';

export interface ThirdPartyClientOptions {
  readonly http: OutboundHttp;
  readonly clock: Clock;
  /** For development: plain http to this machine. */
  readonly allowLoopback: boolean;
  readonly clientMetadataUrl: string;
  readonly registrations: ClientRegistrations;
}

type AuthorizingProvider = OAuthProvider | McpProvider;

/** Third parties over HTTP. PKCE with S256, `state` and `iss` are checked before a code is sent anywhere. */
export class ThirdPartyClient implements ThirdParties {
  readonly #metadata: MetadataSource;

  constructor(private readonly options: ThirdPartyClientOptions) {
    const { http, clock } = options;
    this.#metadata = new MetadataSource(http, clock, (url) => this.#isAllowedPage(url));
  }

  async authorizationUrl(provider: Provider, request: AuthorizationRequest): Promise<AuthorizationStart> {
    const { redirectUri, state, scopes } = request;
    return this.#asking(provider, async (authorizing) => {
      const metadata = await this.#metadata.metadataOf(authorizing);
      const { quirks } = authorizing;
      const registered = await chooseClient(authorizing, metadata, redirectUri, {
        ...this.options,
        register: (found, uri) => this.#register(authorizing, found, uri),
      });
      const codeVerifier = client.randomPKCECodeVerifier();
      const resource = resourceOf(authorizing, metadata);
      const url = new URL(metadata.authorizationEndpoint);
      const asked = [...quirks.addedScopes, ...scopes];
      const parameters: Record<string, string> = {
        ...quirks.authorizationParameters,
        response_type: 'code',
        client_id: credentialsOf(authorizing, metadata, registered).id,
        redirect_uri: redirectUri,
        state,
        ...(asked.length > 0 && { [quirks.scopeParameter]: asked.join(quirks.scopeSeparator) }),
        ...resourceParameter(authorizing, resource),
        ...(quirks.pkce && {
          code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
        }),
      };
      for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
      const { issuer } = metadata;
      const pending = { state, redirectUri, codeVerifier, scopes, resource, issuer, client: registered };
      return { url: url.href, pending: { providerId: provider.id, ...pending } };
    });
  }

  async redeemCode(
    provider: Provider,
    pending: PendingAuthorization,
    callback: URLSearchParams,
  ): Promise<ProviderTokens> {
    return this.#asking(provider, async (authorizing) => {
      if (pending.providerId !== provider.id) throw new ThirdPartyError('mix_up', provider.id);
      const metadata = await this.#metadata.metadataOf(authorizing);
      checkCallback(provider.id, pending, metadata, callback);
      const { quirks } = authorizing;
      const config = await this.#client(authorizing, metadata, pending.client);
      const current = new URL(pending.redirectUri);
      current.search = checkable(callback, metadata).toString();
      const answer = await client.authorizationCodeGrant(
        config,
        current,
        { expectedState: pending.state, ...(quirks.pkce && { pkceCodeVerifier: pending.codeVerifier }) },
        resourceParameter(authorizing, pending.resource),
      );
      const tokens = toTokens(answer, pending.scopes, authorizing, pending.client);
      return { ...tokens, ...(await this.#identify(authorizing, tokens.accessToken)) };
    });
  }

  async refresh(provider: Provider, request: RefreshRequest): Promise<ProviderTokens> {
    return this.#asking(provider, async (authorizing) => {
      const metadata = await this.#metadata.metadataOf(authorizing);
      const config = await this.#client(authorizing, metadata, request.client, request.signal);
      const parameters = resourceParameter(authorizing, resourceOf(authorizing, metadata));
      const answer = await client
        .refreshTokenGrant(config, request.refreshToken, parameters)
        .catch((error: unknown) => {
          // Who gives up does not learn what the provider did.
          throw request.signal?.aborted
            ? new ThirdPartyError('outcome_unknown', provider.id, { cause: error })
            : error;
        });
      return toTokens(answer, request.scopes, authorizing, request.client);
    });
  }

  async revoke(provider: Provider, request: RevokeRequest): Promise<'revoked' | 'unsupported'> {
    if (provider.kind === 'static') return 'unsupported';
    return this.#asking(provider, async (authorizing) => {
      const metadata = await this.#metadata.metadataOf(authorizing);
      if (!metadata.revocation) return 'unsupported';
      const credentials = credentialsOf(authorizing, metadata, request.client);
      await revokeTokens(request, {
        revocation: metadata.revocation,
        credentials,
        http: this.options.http,
        internalHosts: provider.internalHosts,
        config: await this.#client(authorizing, metadata, request.client),
      });
      return 'revoked';
    });
  }

  async probeStaticCredential(provider: Provider, credential: string): Promise<StaticCredentialProbe> {
    if (provider.kind !== 'static') throw new ThirdPartyError('refused', provider.id);
    try {
      return await probeStaticCredential(this.options.http, provider, credential);
    } catch (error) {
      throw asThirdPartyError(provider.id, error);
    }
  }

  /** Whose token it is. Where that cannot be found out the token is good all the same: it ends when it is refused. */
  async #identify(
    provider: AuthorizingProvider,
    accessToken: string,
  ): Promise<Pick<ProviderTokens, 'account' | 'accountId'> | undefined> {
    if (provider.kind !== 'oauth' || !provider.identity) return undefined;
    try {
      return await readIdentity(this.options.http, provider, provider.identity, accessToken);
    } catch {
      return undefined;
    }
  }

  async #asking<R>(provider: Provider, work: (provider: AuthorizingProvider) => Promise<R>): Promise<R> {
    try {
      if (provider.kind === 'static') throw new ThirdPartyError('refused', provider.id);
      return await work(provider);
    } catch (error) {
      throw asThirdPartyError(provider.id, error);
    }
  }

  async #client(
    provider: AuthorizingProvider,
    metadata: ProviderMetadata,
    registered: RegisteredClient | undefined,
    signal?: AbortSignal,
  ): Promise<client.Configuration> {
    const { http, allowLoopback } = this.options;
    const { internalHosts, quirks } = provider;
    const credentials = credentialsOf(provider, metadata, registered);
    return buildOAuthClient(metadata, credentials, { http, allowLoopback, internalHosts, quirks, signal });
  }

  async #register(
    { internalHosts }: AuthorizingProvider,
    { issuer, registrationEndpoint }: ProviderMetadata,
    redirectUri: string,
  ): Promise<RegisteredClient> {
    if (issuer === undefined || registrationEndpoint === undefined) {
      throw new Error('the authorization server takes no client that it does not know');
    }
    const server = { issuer, registration_endpoint: registrationEndpoint };
    return registerClient(this.options.http, server, redirectUri, internalHosts);
  }

  #isAllowedPage(text: string): boolean {
    const { protocol, hostname } = new URL(text);
    const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
    return protocol === 'https:' || (protocol === 'http:' && isLoopback && this.options.allowLoopback);
  }
}

/** As its own metadata spells it: MCP servers compare it byte for byte. */
function resourceOf(provider: AuthorizingProvider, metadata: ProviderMetadata): string {
  return metadata.resource ?? provider.resources[0];
}

/** @see RFC 8707 §2 */
function resourceParameter({ quirks }: AuthorizingProvider, resource: string): Record<string, string> {
  return quirks.sendResource ? { resource } : {};
}

/** Everything that tells that a callback is another's, before an error in it is believed or its code is sent. */
function checkCallback(
  providerId: string,
  pending: PendingAuthorization,
  metadata: ProviderMetadata,
  callback: URLSearchParams,
): void {
  const [state = '', ...moreStates] = callback.getAll('state');
  const [iss, ...moreIssuers] = callback.getAll('iss');
  const { issuer } = pending;
  const isOurs =
    moreStates.length === 0 &&
    moreIssuers.length === 0 &&
    isSame(state, pending.state) &&
    metadata.issuer === issuer &&
    (iss === undefined ? !metadata.sendsIss : issuer === undefined || iss === issuer);
  if (!isOurs) throw new ThirdPartyError('mix_up', providerId);
}

/** A provider without a known issuer may send `iss` all the same: there is nothing to compare it with. */
function checkable(callback: URLSearchParams, { issuer }: ProviderMetadata): URLSearchParams {
  const checked = new URLSearchParams(callback);
  if (issuer === undefined) checked.delete('iss');
  return checked;
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function toTokens(
  answer: client.TokenEndpointResponse & client.TokenEndpointResponseHelpers,
  askedScopes: readonly string[],
  { id, quirks }: AuthorizingProvider,
  registered: RegisteredClient | undefined,
): ProviderTokens {
  if (answer.token_type !== 'bearer') throw new ThirdPartyError('malformed', id);
  const claims = answer.claims();
  const account = [claims?.['preferred_username'], claims?.['email'], claims?.sub].find(
    (name) => typeof name === 'string',
  );
  return {
    accessToken: answer.access_token,
    tokenType: 'Bearer',
    expiresInSeconds: answer.expires_in ?? quirks.accessTokenSeconds,
    refreshToken: answer.refresh_token,
    scopes: answer.scope === undefined ? askedScopes : splitScopes(answer.scope),
    account,
    accountId: claims?.sub,
    client: registered,
  };
}
