import type { BehalfConfig } from './config-schema.js';

/** A resource that the authorization server issues tokens for. */
export interface ProtectedResource {
  /** The identifier, byte for byte as it is published. */
  resource: string;
  name: string;
  scopes: string[];
  defaultScopes: string[];
  /** Clients that are this resource and so may exchange the tokens addressed to it. */
  servedBy: string[];
  /** What an exchange for it stands on. */
  delegation: 'policy' | 'grant';
}

export function upstreamResource(gateway: BehalfConfig['gateway'], upstream: string): string {
  return `${gateway.publicUrl}${gateway.path}/${upstream}`;
}

/** Every protected resource: the gateway's upstreams, the policy service, the admin API and the configured others. */
export function protectedResources(config: BehalfConfig): ProtectedResource[] {
  const { authorizationServer, gateway, policy, elicitation } = config;
  const upstreams = Object.entries(gateway.upstreams).map(([key, upstream]) => ({
    resource: upstreamResource(gateway, key),
    name: upstream.name ?? key,
    scopes: [...new Set([...upstream.scopes.default, ...Object.values(upstream.scopes.tools).flat()])],
    defaultScopes: upstream.scopes.default,
    servedBy: [gateway.clientId],
    delegation: upstream.delegation,
  }));
  const own = [
    {
      resource: policy.publicUrl,
      name: 'Policy decisions',
      scopes: ['policy:evaluate', 'policy:approve', 'policy:admin'],
      // A client that names no scope asks for decisions; it does not become an administrator.
      defaultScopes: ['policy:evaluate'],
      servedBy: [],
      delegation: 'policy' as const,
    },
    {
      resource: `${authorizationServer.issuer}${authorizationServer.paths.admin}`,
      name: 'Administration',
      scopes: ['admin'],
      defaultScopes: ['admin'],
      servedBy: [],
      delegation: 'policy' as const,
    },
  ];
  if (elicitation.client)
    own.push({
      resource: elicitation.publicUrl,
      name: 'Connections to third parties',
      scopes: ['elicitation:read'],
      defaultScopes: ['elicitation:read'],
      servedBy: [],
      delegation: 'policy',
    });
  const others = authorizationServer.resources.map((r) => ({
    ...r,
    defaultScopes: r.defaultScopes ?? r.scopes,
  }));
  return [...upstreams, ...own, ...others];
}
