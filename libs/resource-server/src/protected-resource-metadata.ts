import { dpopAlgorithms } from './verify-dpop-proof.js';

export interface ProtectedResourceMetadata {
  resource: string;
  authorization_servers: [string];
  scopes_supported: string[];
  bearer_methods_supported: ['header'];
  dpop_signing_alg_values_supported?: string[];
  dpop_bound_access_tokens_required?: boolean;
  tls_client_certificate_bound_access_tokens?: boolean;
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
  /**
   * Which sender-constrained tokens are taken: with `dpopRequired` no others are, `certificates` says whether those of
   * clients are known here. Without it bearer tokens only.
   */
  boundTokens?: { dpopRequired: boolean; certificates: boolean };
}): ProtectedResourceMetadata {
  return {
    resource: options.resource,
    authorization_servers: [options.issuer],
    scopes_supported: options.initialScopes,
    bearer_methods_supported: ['header'],
    ...(options.boundTokens && {
      dpop_signing_alg_values_supported: [...dpopAlgorithms],
      dpop_bound_access_tokens_required: options.boundTokens.dpopRequired,
      tls_client_certificate_bound_access_tokens: options.boundTokens.certificates,
    }),
    resource_name: options.name,
  };
}
