import { z } from 'zod';
import { fetchJson } from './fetch-json.js';
import type { OutboundHttp } from './http.js';

const authorizationServerSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  revocation_endpoint: z.url().optional(),
  registration_endpoint: z.url().optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  client_id_metadata_document_supported: z.boolean().optional(),
});
export type AuthorizationServer = z.output<typeof authorizationServerSchema>;

/**
 * The metadata of an authorization server, from the first place that has it.
 *
 * @throws Error when there is none, or when it names another issuer: then everything in it may be another's
 * @see RFC 8414 §3, OpenID Connect Discovery §4, MCP 2026-07-28 authorization server discovery
 */
export async function discoverAuthorizationServer(
  http: OutboundHttp,
  issuer: string,
  internalHosts: readonly string[],
): Promise<AuthorizationServer> {
  for (const url of metadataUrls(issuer)) {
    const found = await fetchJson(http, url, authorizationServerSchema, internalHosts);
    if (!found) continue;
    if (found.issuer !== issuer) throw new Error('the metadata names another issuer');
    return found;
  }
  throw new Error('the issuer publishes no metadata');
}

function metadataUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  const inserted = ['oauth-authorization-server', 'openid-configuration'].map(
    (name) => `${origin}/.well-known/${name}${path}`,
  );
  return path === '' ? inserted : [...inserted, `${origin}${path}/.well-known/openid-configuration`];
}
