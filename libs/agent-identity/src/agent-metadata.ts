import { X509Certificate } from 'node:crypto';
import type { Agent, KeptAgentCredential } from '@behalf/contracts';
import { certificateThumbprint } from '@behalf/client-certificate';
import { grantTypes } from '@behalf/oauth';

/** What an agent may ask the token endpoint for. No person signs in to it, so there are no redirects. */
export const agentGrantTypes: readonly string[] = [
  grantTypes.tokenExchange,
  grantTypes.clientCredentials,
  grantTypes.jwtBearer,
];

/**
 * An agent as client metadata: what the token endpoint authenticates it by. Agents whose credential is a token of
 * somebody else have keys, but none: what would be signed with those is not what they come with.
 *
 * @param secretHash stands for the secrets of an agent that has some
 * @see RFC 7591 §2, RFC 8705 §2, §3.4, RFC 9449 §5.2
 */
export function agentMetadata(agent: Agent, secretHash: string | undefined) {
  const { jwks, jwksUri, credential, boundTokens } = agent;
  return {
    ...describe(agent),
    ...(jwks && { jwks }),
    ...(jwksUri !== undefined && { jwks_uri: jwksUri }),
    ...(credential && credentialMetadata(credential, secretHash)),
    ...(boundTokens === 'dpop' && { dpop_bound_access_tokens: true }),
    ...(boundTokens === 'mtls' && { tls_client_certificate_bound_access_tokens: true }),
  };
}

function credentialMetadata(credential: KeptAgentCredential, secretHash: string | undefined) {
  switch (credential.method) {
    case 'client_secret':
      return { token_endpoint_auth_method: 'client_secret_basic', client_secret: secretHash };
    case 'tls_client_auth':
      return { token_endpoint_auth_method: credential.method, [credential.subject]: credential.value };
    case 'self_signed_tls_client_auth':
      return {
        token_endpoint_auth_method: credential.method,
        jwks: { keys: credential.certificates.map(certificateJwk) },
      };
    case 'attest_jwt_client_auth':
      return {
        token_endpoint_auth_method:
          credential.proof === 'dpop' ? 'attest_jwt_client_auth_dpop' : credential.method,
      };
    case 'spiffe_jwt':
    case 'workload':
      return { jwks: { keys: [] } };
  }
}

function certificateJwk(pem: string) {
  const certificate = new X509Certificate(pem);
  return {
    ...certificate.publicKey.export({ format: 'jwk' }),
    'x5t#S256': certificateThumbprint(certificate),
  };
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
