import type { BehalfConfig } from '@behalf/config';
import { grantTypes } from '@behalf/oauth';
import type { ClientMetadata } from 'oidc-provider';

/**
 * The issuer's own pages as a client of it: people sign in for them as for any other. What comes back is never
 * redeemed; the session that the sign-in leaves behind is what the pages look at. Nobody is asked to consent, since
 * nothing is given to anybody.
 */
export const accountClientId = 'behalf-account';

export function accountClient({ authorizationServer }: BehalfConfig): ClientMetadata {
  const { issuer, paths } = authorizationServer;
  return {
    client_id: accountClientId,
    client_name: 'Who acts for you',
    token_endpoint_auth_method: 'none',
    application_type: 'web',
    redirect_uris: [`${issuer}${paths.account}/signed-in`],
    grant_types: [grantTypes.authorizationCode],
    response_types: ['code'],
  };
}
