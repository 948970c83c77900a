import { grantTypes } from '@behalf/oauth';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import type { FederatedClients } from './federated-clients.js';
import { issueOwnToken } from './issue-own-token.js';

const parameters = ['assertion', 'scope', 'resource'];

/**
 * Serves the jwt-bearer grant: the token of a workload, which is then the client too.
 *
 * @see RFC 7523 §2.1
 */
export function registerJwtBearer(provider: Provider, federated: FederatedClients): void {
  const handler = async (ctx: TokenEndpointGrantContext): Promise<void> => {
    if (federated.of(ctx)?.parameter !== 'assertion')
      throw new errors.InvalidGrant({ cause: 'the assertion is none that is taken here' });
    await issueOwnToken(provider, ctx);
  };
  provider.registerGrantType(grantTypes.jwtBearer, handler, parameters);
}
