import type { Agent } from '@behalf/contracts';
import { grantTypes } from '@behalf/oauth';

/** What an agent may ask the token endpoint for. No person signs in to it, so there are no redirects. */
export const agentGrantTypes: readonly string[] = [grantTypes.tokenExchange, grantTypes.clientCredentials];

/**
 * An agent as client metadata: what the token endpoint authenticates it by.
 *
 * @see RFC 7591 §2
 */
export function agentMetadata(agent: Agent) {
  const { jwks, jwksUri } = agent;
  return { ...describe(agent), ...(jwks && { jwks }), ...(jwksUri !== undefined && { jwks_uri: jwksUri }) };
}

/**
 * The client identifier metadata document of an agent whose id we gave out, for other authorization servers. Keys that
 * we hold are named by URL, so that they can change while the document is cached.
 *
 * @see draft-ietf-oauth-client-id-metadata-document §4
 */
export function agentDocument(agent: Agent) {
  return { ...describe(agent), jwks_uri: agent.jwksUri ?? `${agent.id}/jwks.json` };
}

function describe({ id, name }: Agent) {
  return {
    client_id: id,
    client_name: name,
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: [...agentGrantTypes],
    response_types: [],
    redirect_uris: [],
  };
}
