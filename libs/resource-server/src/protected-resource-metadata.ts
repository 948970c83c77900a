export interface ProtectedResourceMetadata {
  resource: string;
  authorization_servers: [string];
  scopes_supported: string[];
  bearer_methods_supported: ['header'];
  resource_name: string;
}

/**
 * The metadata document of a protected resource. `scopes_supported` is what a client needs to begin with, not all
 * there is: clients ask for everything they see (MCP 2026-07-28, "Scope Selection Strategy").
 *
 * @see RFC 9728 §2
 */
export function protectedResourceMetadata(options: {
  resource: string;
  name: string;
  issuer: string;
  initialScopes: string[];
}): ProtectedResourceMetadata {
  return {
    resource: options.resource,
    authorization_servers: [options.issuer],
    scopes_supported: options.initialScopes,
    bearer_methods_supported: ['header'],
    resource_name: options.name,
  };
}
