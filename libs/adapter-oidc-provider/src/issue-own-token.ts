import type { Evaluation } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  checkMtlsCert,
  resolveRequestedResources,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';
import type { AgentClients } from './agent-clients.js';
import type { ProviderDependencies } from './dependencies.js';
import { throwToLibrary } from './throw-to-library.js';

/**
 * Issues a token in the client's own name: for one resource, within what `resourceServerInfo` lets it have there, bound
 * to the key of the proof that came. An agent gets it if policy permits; a configured client by its configuration, since
 * the services of a deployment need theirs before there are decisions. Recorded before it leaves.
 *
 * @throws InvalidTarget, InvalidScope, InvalidDpopProof, UseDpopNonce; `temporarily_unavailable`
 * @see RFC 6749 §4.4
 */
export async function issueOwnToken(
  provider: Provider,
  ctx: TokenEndpointGrantContext,
  deps: ProviderDependencies,
  agents: AgentClients,
): Promise<void> {
  const { client } = ctx.oidc;
  const dpop = await validateDpop(provider, ctx);
  checkDpopRequired(provider, ctx, dpop, errors.InvalidDpopProof);
  const certificate = checkMtlsCert(provider, ctx);
  const [resourceServer, ...others] = await resolveRequestedResources(provider, ctx);
  if (!resourceServer || others.length > 0) throw new errors.InvalidTarget('one resource per request');
  const audience = String(resourceServer.audience);
  const scope = ctx.oidc.params.scope ?? '';
  // Asked after the resource was found: an agent that was suspended meanwhile is refused.
  const decisionId = (await agents.find(client.clientId))
    ? await askPolicy(ctx, { audience, scope }, deps)
    : undefined;

  const token = new provider.ClientCredentials({ client, scope });
  token.resourceServer = resourceServer;
  if (certificate !== undefined) token.setThumbprint('x5t', certificate);
  if (dpop) {
    await checkDpopReplay(provider, ctx, dpop, client.clientId, errors.InvalidDpopProof);
    token.setThumbprint('jkt', dpop.thumbprint);
  }
  ctx.oidc.entity('ClientCredentials', token);
  const accessToken = await token.save();
  await deps
    .audit({ ...record(ctx, audience, decisionId), outcome: 'allowed' })
    .catch((cause: unknown) => throwToLibrary(ctx, unavailable('the token could not be recorded', cause)));
  ctx.body = buildTokenResponse(provider, {
    accessToken,
    expiresIn: token.expiration,
    scope: token.scope,
    tokenType: token.tokenType,
  });
}

/** @returns the id of the decision */
async function askPolicy(
  ctx: TokenEndpointGrantContext,
  { audience, scope }: { audience: string; scope: string },
  deps: ProviderDependencies,
): Promise<string | undefined> {
  const id = ctx.oidc.client.clientId;
  const question: Evaluation = {
    subject: { type: 'agent', id },
    action: { name: 'client_credentials' },
    resource: { type: 'audience', id: audience },
    context: { client_id: id, scope },
  };
  const { decision, context } = await deps.exchange
    .decide(question)
    .catch((cause: unknown) => throwToLibrary(ctx, unavailable('no policy decision could be had', cause)));
  if (decision) return context?.id;
  // Refused either way: a full disk must not turn the reason into another one.
  await deps.audit({ ...record(ctx, audience, context?.id), outcome: 'refused' }).catch(() => {});
  const suffix = context?.id === undefined ? '' : `, decision ${context.id}`;
  throw new errors.InvalidTarget(`policy denied this${suffix}`);
}

function record({ oidc: { client } }: TokenEndpointGrantContext, audience: string, decisionId?: string) {
  return {
    type: 'client-credentials',
    client: client.clientId,
    details: { audience },
    ...(decisionId !== undefined && { decisionId }),
  };
}

function unavailable(description: string, cause: unknown): OAuthError {
  return new OAuthError('temporarily_unavailable', description, { cause, retryAfterSeconds: 2 });
}
