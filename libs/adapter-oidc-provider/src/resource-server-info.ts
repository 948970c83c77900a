import type { ClientConfig, ProtectedResource } from '@behalf/config';
import { grantTypes } from '@behalf/oauth';
import { coversAudience } from '@behalf/token-exchange';
import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { AgentClients } from './agent-clients.js';
import type { ProviderDependencies } from './dependencies.js';
import { splitScope } from './request-rules.js';

/** With these a client asks in its own name. */
const ownGrants: ReadonlySet<unknown> = new Set([grantTypes.clientCredentials, grantTypes.jwtBearer]);

/**
 * What oidc-provider needs to know of a resource: its scopes and how its tokens look.
 *
 * A client that asks in its own name gets no more than its configuration says, or its ceiling if it is an agent, and
 * all of that if it names no scope.
 *
 * @throws InvalidTarget, InvalidScope
 * @see RFC 8707 §2.2, RFC 9068
 */
export async function resourceServerInfo(
  ctx: KoaContextWithOIDC,
  identifier: string,
  clientId: string,
  deps: Pick<ProviderDependencies, 'config' | 'resources'> & { agents: AgentClients },
): Promise<ResourceServer> {
  const { config, resources } = deps;
  const resource = resources.find(identifier);
  if (!resource) throw new errors.InvalidTarget('the resource is not known here');
  let { scopes } = resource;
  let lifetimeSeconds = config.authorizationServer.lifetimes.accessTokenSeconds;
  const parameters = ctx.oidc.params;
  if (parameters && ownGrants.has(parameters['grant_type'])) {
    const own = await ownAuthority(clientId, resource, deps);
    scopes = scopes.filter((scope) => own.scopes.includes(scope));
    lifetimeSeconds = Math.min(lifetimeSeconds, own.maxLifetimeSeconds ?? Infinity);
    const requested = splitScope(parameters['scope'] as string | undefined);
    const granted = requested.length === 0 ? scopes : requested.filter((scope) => scopes.includes(scope));
    if (granted.length === 0)
      throw new errors.InvalidScope('the client may have none of these', requested.join(' '));
    parameters['scope'] = granted.join(' ');
  }
  return {
    audience: resource.resource,
    scope: scopes.join(' '),
    accessTokenFormat: 'jwt',
    accessTokenTTL: lifetimeSeconds,
    jwt: { sign: { alg: 'ES256' } },
  };
}

/**
 * What a client may have in its own name at a resource.
 *
 * @throws InvalidTarget for a resource beyond the ceiling of an agent. Administration and policy decisions are beyond
 *   every agent's: they are for configured clients, and no pattern in a ceiling reaches them by accident.
 */
async function ownAuthority(
  clientId: string,
  { resource }: ProtectedResource,
  {
    config,
    resources,
    agents,
  }: Pick<ProviderDependencies, 'config' | 'resources'> & { agents: AgentClients },
): Promise<{ scopes: readonly string[]; maxLifetimeSeconds?: number | undefined }> {
  const agent = await agents.find(clientId);
  if (!agent) {
    const isSame = (client: ClientConfig): boolean => client.clientId === clientId;
    return { scopes: config.authorizationServer.clients.find(isSame)?.scopes ?? [] };
  }
  const { ceiling, lifetimes } = agent;
  if (!resources.findForPeople(resource) || !coversAudience(ceiling.audiences, resource)) {
    throw new errors.InvalidTarget('no token is issued for this target');
  }
  return { scopes: ceiling.scopes, maxLifetimeSeconds: lifetimes.tokenSeconds };
}
