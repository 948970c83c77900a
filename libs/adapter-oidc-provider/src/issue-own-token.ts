import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  resolveRequestedResources,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';

/**
 * Issues a token in the client's own name, as the grant `client_credentials` does: for one resource, within what
 * `resourceServerInfo` lets it have there, bound to the key of the proof that came.
 *
 * @throws InvalidTarget, InvalidScope, InvalidDpopProof, UseDpopNonce
 * @see RFC 6749 §4.4.3
 */
export async function issueOwnToken(provider: Provider, ctx: TokenEndpointGrantContext): Promise<void> {
  const { client } = ctx.oidc;
  const dpop = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, dpop, errors.InvalidDpopProof);
  const [resourceServer, ...others] = await resolveRequestedResources(provider, ctx);
  if (!resourceServer || others.length > 0) throw new errors.InvalidTarget('one resource per request');
  const token = new provider.ClientCredentials({ client, scope: ctx.oidc.params.scope ?? '' });
  token.resourceServer = resourceServer;
  const certificate = checkMtlsCert(provider, ctx);
  if (certificate !== undefined) token.setThumbprint('x5t', certificate);
  if (dpop) {
    await checkDpopReplay(provider, ctx, dpop, client.clientId, errors.InvalidDpopProof);
    token.setThumbprint('jkt', dpop.thumbprint);
  }
  ctx.oidc.entity('ClientCredentials', token);
  const accessToken = await token.save();
  ctx.body = buildTokenResponse(provider, {
    accessToken,
    expiresIn: token.expiration,
    scope: token.scope,
    tokenType: token.tokenType,
  });
}
