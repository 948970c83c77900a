import type { BehalfConfig } from '@behalf/config';
import { grantTypes } from '@behalf/oauth';
import type { ClientMetadata } from 'oidc-provider';
import { joinSecretHashes } from './client-secret.js';
import type { ProviderDependencies } from './dependencies.js';
import { bindingMetadata } from './mutual-tls.js';

/** A client of the configuration, in the words of RFC 7591. */
export function configuredClient(
  client: BehalfConfig['authorizationServer']['clients'][number],
  { clientSecrets }: ProviderDependencies,
): ClientMetadata {
  return {
    client_id: client.clientId,
    client_name: client.clientName ?? client.clientId,
    // Has one; which, is asked each time, since it changes while the library keeps what it was told here.
    ...(clientSecrets(client.clientId) && { client_secret: joinSecretHashes([]) }),
    token_endpoint_auth_method: client.tokenEndpointAuthMethod,
    ...bindingMetadata(client.boundTokens),
    application_type: client.applicationType,
    redirect_uris: client.redirectUris,
    grant_types:
      client.redirectUris.length > 0 ? client.grantTypes : client.grantTypes.filter(needsNoRedirect),
    response_types:
      client.redirectUris.length > 0 && client.grantTypes.includes(grantTypes.authorizationCode)
        ? ['code']
        : [],
  };
}

function needsNoRedirect(grantType: string): boolean {
  return grantType !== grantTypes.authorizationCode;
}
