import type { McpProvider, OAuthProvider, ProviderClient } from './provider.js';
import type { ProviderMetadata } from './provider-metadata.js';
import type { RegisteredClient } from './ports.js';

export interface ClientChoiceOptions {
  /** Where our client metadata document is. */
  readonly clientMetadataUrl: string;
  readonly registrations: ClientRegistrations;
  readonly register: (metadata: ProviderMetadata, redirectUri: string) => Promise<RegisteredClient>;
}

/** Clients that authorization servers gave us. By issuer: a client id means nothing to another one (MCP, SEP-2352). */
export interface ClientRegistrations {
  get(issuer: string, redirectUri: string): Promise<RegisteredClient | undefined>;
  /** Keeps the first one: of two registrations at once both then use the same. Returns what is kept. */
  keep(redirectUri: string, client: RegisteredClient): Promise<RegisteredClient>;
}

/**
 * As whom we come to an MCP server's authorization server: registered by hand, else by our metadata document, else by
 * dynamic registration.
 *
 * @throws Error when it offers none of them
 * @see MCP 2026-07-28 client registration
 */
export async function chooseClient(
  provider: OAuthProvider | McpProvider,
  metadata: ProviderMetadata,
  redirectUri: string,
  options: ClientChoiceOptions,
): Promise<RegisteredClient | undefined> {
  if (provider.client) return undefined;
  const { issuer } = metadata;
  if (issuer === undefined) throw new Error('a client cannot be registered without an issuer');
  if (metadata.takesClientMetadata) {
    return { issuer, clientId: options.clientMetadataUrl, clientSecret: undefined };
  }
  const kept = await options.registrations.get(issuer, redirectUri);
  if (kept) return kept;
  return options.registrations.keep(redirectUri, await options.register(metadata, redirectUri));
}

/** @throws Error when there is none, or it belongs to another issuer: its refresh tokens are nobody else's business */
export function credentialsOf(
  provider: OAuthProvider | McpProvider,
  metadata: ProviderMetadata,
  registered: RegisteredClient | undefined,
): ProviderClient {
  if (provider.client) return provider.client;
  if (!registered || registered.issuer !== metadata.issuer) {
    throw new Error('the authorization server is not the one that this client is registered with');
  }
  const { clientId: id, clientSecret: secret } = registered;
  return secret === undefined
    ? { id, auth: 'none' }
    : { id, auth: 'client_secret_basic', secret: () => secret };
}
