/** What our client metadata document says: the broker as an OAuth client of MCP servers' authorization servers. */
export interface ClientMetadata {
  readonly client_id: string;
  readonly client_name: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly ['authorization_code', 'refresh_token'];
  readonly response_types: readonly ['code'];
  readonly application_type: 'web' | 'native';
  readonly token_endpoint_auth_method: 'none';
  readonly token_endpoint_auth_methods_supported: readonly ['none'];
}

/**
 * Our client metadata document, to be served as JSON at the URL that is its `client_id`.
 *
 * @see draft-ietf-oauth-client-id-metadata-document §4
 */
export function buildClientMetadata(clientId: string, redirectUris: readonly string[]): ClientMetadata {
  return {
    client_id: clientId,
    ...registrationMetadata(redirectUris),
    token_endpoint_auth_methods_supported: ['none'],
  };
}

/** What both the document and a dynamic registration say. @see RFC 7591 §2 */
export function registrationMetadata(
  redirectUris: readonly string[],
): Omit<ClientMetadata, 'client_id' | 'token_endpoint_auth_methods_supported'> {
  const isLocal = redirectUris.every((uri) => new URL(uri).protocol === 'http:');
  return {
    client_name: 'Behalf',
    redirect_uris: redirectUris,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    application_type: isLocal ? 'native' : 'web',
    token_endpoint_auth_method: 'none',
  };
}
