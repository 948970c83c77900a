import { grantTypes } from '@behalf/oauth';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import type { AgentClients } from './agent-clients.js';
import type { ProviderDependencies } from './dependencies.js';
import { type FederatedClients, isIdentityAssertion } from './federated-clients.js';
import { issueOwnToken } from './issue-own-token.js';
import { redeemIdentityAssertion } from './redeem-identity-assertion.js';

const parameters = ['assertion', 'scope', 'resource'];

/**
 * Serves the jwt-bearer grant. What an assertion is, its `typ` says: an ID-JAG is for a person and comes from a client that
 * authenticates by itself; the token of a workload is the client, too.
 *
 * @see RFC 7523 §2.1; MCP Enterprise-Managed Authorization; MCP SEP-1933
 */
export function registerJwtBearer(
  provider: Provider,
  federated: FederatedClients,
  deps: ProviderDependencies,
  agents: AgentClients,
): void {
  const handler = async (ctx: TokenEndpointGrantContext): Promise<void> => {
    const { assertion } = ctx.oidc.params;
    if (federated.of(ctx)?.parameter === 'assertion') return issueOwnToken(provider, ctx, deps, agents);
    if (typeof assertion !== 'string') throw new errors.InvalidRequest('assertion is required');
    if (!isIdentityAssertion(assertion))
      throw new errors.InvalidGrant({ detail: 'the assertion is none that is taken here' });
    await redeemIdentityAssertion(provider, ctx, deps, agents);
  };
  provider.registerGrantType(grantTypes.jwtBearer, handler, parameters);
}
