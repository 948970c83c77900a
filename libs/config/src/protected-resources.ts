import type { HandOver } from '@behalf/oauth';
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
  /** Who of them exchanges tokens that are bound to client certificates, and with which key; nobody without it. */
  handsOverTo?: HandOver | undefined;
  /** What an exchange for it stands on. */
  delegation: 'policy' | 'grant';
}

export function upstreamResource(gateway: BehalfConfig['gateway'], upstream: string): string {
  return `${gateway.publicUrl}${gateway.path}/${upstream}`;
}

/** Where the API of a third party is called for agents; also the resource that their tokens are for. */
export function forwardResource({ publicUrl, paths }: BehalfConfig['elicitation'], provider: string): string {
  return `${publicUrl}${paths.forward}/${provider}`;
}

/** What a token needs for a call that no scope of the provider's is needed for. */
export const forwardScope = 'forward';

/**
 * Every protected resource: the gateway's upstreams, the policy service, the admin API, the APIs of third parties that
 * are called for agents, and the configured others.
 */
export function protectedResources(config: BehalfConfig): ProtectedResource[] {
  const { authorizationServer, gateway, policy, elicitation } = config;
  const upstreams = Object.entries(gateway.upstreams).map(([key, upstream]) => ({
    resource: upstreamResource(gateway, key),
    name: upstream.name ?? key,
    scopes: [...new Set([...upstream.scopes.default, ...Object.values(upstream.scopes.tools).flat()])],
    defaultScopes: upstream.scopes.default,
    servedBy: [gateway.clientId],
    ...(gateway.dpop.key && { handsOverTo: { clientId: gateway.clientId, jkt: gateway.dpop.key.jkt } }),
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
      scopes: ['admin', 'audit:read', 'audit:witness'],
      defaultScopes: ['admin'],
      servedBy: [],
      delegation: 'policy' as const,
    },
  ];
  if (elicitation.client)
    own.push({
      resource: elicitation.publicUrl,
      name: 'Connections to third parties',
      scopes: ['elicitation:read', 'vault:admin'],
      defaultScopes: ['elicitation:read'],
      servedBy: [],
      delegation: 'policy',
    });
  const forwards = elicitation.providers.flatMap(({ id, name = id, forward }) =>
    forward === undefined
      ? []
      : [
          {
            resource: forwardResource(elicitation, id),
            name: `${name}, on behalf of people`,
            scopes: [...new Set([forwardScope, ...forward.rules.flatMap(({ scopes }) => scopes)])],
            // A client that names no scope gets to read.
            defaultScopes: [
              ...new Set([forwardScope, ...forward.rules.filter(onlyReads).flatMap(({ scopes }) => scopes)]),
            ],
            servedBy: [],
            delegation: 'policy' as const,
          },
        ],
  );
  const { issuer, paths, sharedSignals } = authorizationServer;
  if (sharedSignals.receivers.length > 0)
    own.push({
      resource: `${issuer}${paths.sharedSignals}`,
      name: 'Shared signals',
      scopes: ['ssf.manage', 'ssf.read'],
      defaultScopes: ['ssf.manage', 'ssf.read'],
      servedBy: [],
      delegation: 'policy',
    });
  const others = authorizationServer.resources.map((r) => ({
    ...r,
    defaultScopes: r.defaultScopes ?? r.scopes,
  }));
  return [...upstreams, ...own, ...forwards, ...others];
}

function onlyReads({ methods }: { methods: readonly string[] }): boolean {
  return methods.every((method) => method === 'GET' || method === 'HEAD');
}
