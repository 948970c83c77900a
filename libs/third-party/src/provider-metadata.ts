import type { Clock } from '@behalf/ports';
import { discoverAuthorizationServer } from './discover-authorization-server.js';
import { discoverProtectedResource } from './discover-protected-resource.js';
import type { OutboundHttp } from './http.js';
import type { McpProvider, OAuthProvider, ProviderRevocation } from './provider.js';

const freshMs = 10 * 60 * 1000;
/** A refresh must not fail because a document that we know cannot be fetched for a while. */
const usableMs = 24 * 3600 * 1000;

/** Where a provider is talked to. */
export interface ProviderMetadata {
  /** Undefined for providers that have none: their `iss` cannot be checked. */
  readonly issuer: string | undefined;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly revocation: ProviderRevocation | undefined;
  readonly registrationEndpoint: string | undefined;
  /** It always sends `iss`: a callback without one is another's. @see RFC 9207 §2.4 */
  readonly sendsIss: boolean;
  readonly takesClientMetadata: boolean;
  /** The resource as its protected resource metadata spells it. */
  readonly resource: string | undefined;
}

interface Kept {
  readonly metadata: ProviderMetadata;
  readonly fetchedAtMs: number;
}

/** Keeps what it found for ten minutes; when a provider cannot be asked, what it said within the last day holds. */
export class MetadataSource {
  readonly #kept = new Map<string, Kept>();

  constructor(
    private readonly http: OutboundHttp,
    private readonly clock: Clock,
    private readonly isAllowedPage: (url: string) => boolean,
  ) {}

  /** @throws whatever discovery throws */
  async metadataOf(provider: OAuthProvider | McpProvider): Promise<ProviderMetadata> {
    if (provider.kind === 'oauth' && provider.endpoints)
      return explicitMetadata(provider, provider.endpoints);
    const kept = this.#kept.get(provider.id);
    const ageMs = kept ? this.clock.nowMs() - kept.fetchedAtMs : Infinity;
    if (kept && ageMs < freshMs) return kept.metadata;
    try {
      const metadata = await this.#discover(provider);
      // There are as many entries as there are providers in the configuration.
      this.#kept.set(provider.id, { metadata, fetchedAtMs: this.clock.nowMs() });
      return metadata;
    } catch (error) {
      if (kept && ageMs < usableMs) return kept.metadata;
      throw error;
    }
  }

  async #discover(provider: OAuthProvider | McpProvider): Promise<ProviderMetadata> {
    const { internalHosts } = provider;
    const protectedResource =
      provider.kind === 'mcp'
        ? await discoverProtectedResource(this.http, provider.server, internalHosts)
        : undefined;
    const issuer = protectedResource?.authorization_servers[0] ?? (provider as OAuthProvider).issuer;
    if (issuer === undefined) throw new Error('the provider has neither endpoints nor an issuer');
    const server = await discoverAuthorizationServer(this.http, issuer, internalHosts);
    // It is the browser of a person that goes there, so no script and nothing unencrypted.
    if (!this.isAllowedPage(server.authorization_endpoint)) {
      throw new Error('the authorization endpoint is no https URL');
    }
    const methods = server.code_challenge_methods_supported;
    if (provider.kind === 'mcp' && !methods?.includes('S256')) throw new Error('the server does not do PKCE');
    const revocationEndpoint = server.revocation_endpoint;
    const ownRevocation = provider.kind === 'oauth' ? provider.revocation : undefined;
    return {
      issuer,
      authorizationEndpoint: server.authorization_endpoint,
      tokenEndpoint: server.token_endpoint,
      revocation:
        ownRevocation ??
        (revocationEndpoint ? { style: 'rfc7009', endpoint: revocationEndpoint } : undefined),
      registrationEndpoint: server.registration_endpoint,
      sendsIss: server.authorization_response_iss_parameter_supported ?? false,
      takesClientMetadata: server.client_id_metadata_document_supported ?? false,
      resource: protectedResource?.resource,
    };
  }
}

function explicitMetadata(
  { issuer, revocation }: OAuthProvider,
  endpoints: NonNullable<OAuthProvider['endpoints']>,
): ProviderMetadata {
  return {
    issuer,
    authorizationEndpoint: endpoints.authorization,
    tokenEndpoint: endpoints.token,
    revocation,
    registrationEndpoint: undefined,
    sendsIss: false,
    takesClientMetadata: false,
    resource: undefined,
  };
}
