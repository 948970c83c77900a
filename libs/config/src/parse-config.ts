import type { ServiceName } from '@behalf/contracts';
import type { z } from 'zod';
import { type BehalfConfig, configSchema } from './config-schema.js';
import { missingSecrets } from './missing-secrets.js';

/** All faults of a configuration at once, by name and never by value: values may be secrets. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: string[]) {
    super(
      `The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
    );
  }
}

/**
 * Checks a parsed configuration file against the schema and against the environment it is to run in.
 *
 * @param service that runs with it, and needs its own secrets; without it, all of them
 * @throws ConfigError
 */
export function parseConfig(
  file: unknown,
  environment: Record<string, string | undefined>,
  service?: ServiceName,
): BehalfConfig {
  const parsed = configSchema.safeParse(file, { reportInput: false });
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describeIssue));
  const faults = [
    ...missingSecrets(parsed.data, environment, service),
    ...usersNamedAsClients(parsed.data),
    ...contestedHeaders(parsed.data),
    ...unknownProviders(parsed.data),
    ...(environment['NODE_ENV'] === 'production'
      ? [...demoOnly(parsed.data), ...plainHttp(parsed.data)]
      : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
  return parsed.data;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  return `${issue.path.join('.') || '(top)'}: ${issue.message}`;
}

/** A token of a client for itself has the client's id as `sub`: nobody may be taken for it. @see RFC 9068 §5 */
function usersNamedAsClients({ authorizationServer: { signIn, clients } }: BehalfConfig): string[] {
  const names = signIn.method === 'local' ? signIn.users.map((user) => user.username) : [];
  const ids = new Set(clients.map((client) => client.clientId));
  return names.flatMap((name, index) =>
    ids.has(name)
      ? [`authorizationServer.signIn.users.${index}.username: is the clientId of a client, too`]
      : [],
  );
}

/** One header cannot hold two tokens. */
function contestedHeaders({ gateway }: BehalfConfig): string[] {
  return Object.entries(gateway.upstreams).flatMap(([name, upstream]) =>
    upstream.transport === 'http' &&
    upstream.thirdParty?.header === 'authorization' &&
    upstream.token.kind === 'exchange'
      ? [`gateway.upstreams.${name}.thirdParty.header: authorization holds the exchanged token`]
      : [],
  );
}

/** A transmitter that speaks of accounts at nobody would be heard in vain. */
function unknownProviders({ authorizationServer, elicitation }: BehalfConfig): string[] {
  const known = new Set(elicitation.providers.map(({ id }) => id));
  return authorizationServer.sharedSignals.transmitters.flatMap(({ name, provider }) =>
    provider === undefined || known.has(provider)
      ? []
      : [`authorizationServer.sharedSignals.transmitters.${name}.provider: there is no such provider`],
  );
}

function demoOnly(config: BehalfConfig): string[] {
  const { signIn, clients } = config.authorizationServer;
  const found: [boolean, string][] = [
    [signIn.method === 'local', 'authorizationServer.signIn: local users'],
    ...clients.map((c): [boolean, string] => [
      c.demoSecret !== undefined,
      `authorizationServer.clients.${c.clientId}.demoSecret`,
    ]),
    ...config.elicitation.providers.map((p): [boolean, string] => [
      p.kind !== 'static' && p.client?.demoSecret !== undefined,
      `elicitation.providers.${p.id}.client.demoSecret`,
    ]),
    ...config.elicitation.providers.map((p): [boolean, string] => [
      p.kind === 'oauth' && p.webhook?.demoSecret !== undefined,
      `elicitation.providers.${p.id}.webhook.demoSecret`,
    ]),
    [config.elicitation.client?.demoSecret !== undefined, 'elicitation.client.demoSecret'],
    [config.gateway.demoClientSecret !== undefined, 'gateway.demoClientSecret'],
    [config.policy.approvals.demoSecret !== undefined, 'policy.approvals.demoSecret'],
    [config.policy.allowUnauthenticatedLoopback, 'policy.allowUnauthenticatedLoopback'],
    [config.development.allowLoopbackFetch, 'development.allowLoopbackFetch'],
    [config.development.allowLoopbackProviders, 'development.allowLoopbackProviders'],
  ];
  return found.flatMap(([present, what]) =>
    present ? [`${what}: not allowed when NODE_ENV=production`] : [],
  );
}

/** Without TLS anybody on the way reads codes and cookies. @see OAuth 2.1 §1.5 */
function plainHttp({ authorizationServer, gateway, policy, elicitation }: BehalfConfig): string[] {
  const { issuer, signIn } = authorizationServer;
  const urls: [string, string][] = [
    ['authorizationServer.issuer', issuer],
    ...(signIn.method === 'upstream'
      ? [['authorizationServer.signIn.issuer', signIn.issuer] as [string, string]]
      : []),
    ['gateway.publicUrl', gateway.publicUrl],
    ['policy.publicUrl', policy.publicUrl],
    ['elicitation.publicUrl', elicitation.publicUrl],
  ];
  return urls.flatMap(([where, url]) => {
    const { protocol, hostname } = new URL(url);
    const isLoopback = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
    return protocol === 'https:' || isLoopback ? [] : [`${where}: must be https when NODE_ENV=production`];
  });
}
