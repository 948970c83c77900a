import { grantTypes } from '@behalf/oauth';
import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';
import { splitScope } from './request-rules.js';

/**
 * What oidc-provider needs to know of a resource: its scopes and how its tokens look.
 *
 * A client that asks in its own name gets no more than its configuration says, and all of that if it names no scope.
 *
 * @throws InvalidTarget, InvalidScope
 * @see RFC 8707 §2.2, RFC 9068
 */
export function resourceServerInfo(
  ctx: KoaContextWithOIDC,
  identifier: string,
  clientId: string,
  { config, resources }: Pick<ProviderDependencies, 'config' | 'resources'>,
): ResourceServer {
  const resource = resources.find(identifier);
  if (!resource) throw new errors.InvalidTarget('the resource is not known here');
  let { scopes } = resource;
  const parameters = ctx.oidc.params;
  if (parameters?.['grant_type'] === grantTypes.clientCredentials) {
    const client = config.authorizationServer.clients.find((c) => c.clientId === clientId);
    scopes = scopes.filter((scope) => client?.scopes.includes(scope));
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
    accessTokenTTL: config.authorizationServer.lifetimes.accessTokenSeconds,
    jwt: { sign: { alg: 'ES256' } },
  };
}
