import type { z } from 'zod';
import { type BehalfConfig, configSchema } from './config-schema.js';

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
 * @throws ConfigError
 */
export function parseConfig(file: unknown, environment: Record<string, string | undefined>): BehalfConfig {
  const parsed = configSchema.safeParse(file, { reportInput: false });
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map(describeIssue));
  const faults = [
    ...missingSecrets(parsed.data, environment),
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

function missingSecrets(config: BehalfConfig, environment: Record<string, string | undefined>): string[] {
  const { signIn, clients } = config.authorizationServer;
  /** These may be in a file, which is read anew while the service runs. */
  const changing: [string, string | undefined][] = [
    ...clients.map((c): [string, string | undefined] => [
      `authorizationServer.clients.${c.clientId}.secretEnv`,
      c.secretEnv,
    ]),
    ['gateway.clientSecretEnv', config.gateway.clientSecretEnv],
    ['policy.approvals.secretEnv', config.policy.approvals.secretEnv],
    ['policy.dialects.exchange.clientSecretEnv', config.policy.dialects.exchange?.clientSecretEnv],
    ['elicitation.client.secretEnv', config.elicitation.client?.secretEnv],
    [
      'authorizationServer.signIn.clientSecretEnv',
      signIn.method === 'upstream' ? signIn.clientSecretEnv : undefined,
    ],
    ...config.elicitation.providers.map((provider): [string, string | undefined] => [
      `elicitation.providers.${provider.id}.client.secretEnv`,
      provider.kind === 'static' ? undefined : provider.client?.secretEnv,
    ]),
  ];
  const named: [string, string | undefined][] = [
    ...config.authorizationServer.sharedSignals.transmitters.flatMap(
      ({ name, authorizationEnv, poll }): [string, string | undefined][] => [
        [`authorizationServer.sharedSignals.transmitters.${name}.authorizationEnv`, authorizationEnv],
        [`authorizationServer.sharedSignals.transmitters.${name}.poll.tokenEnv`, poll?.tokenEnv],
      ],
    ),
    ...thirdPartySecrets(config.elicitation),
  ];
  const isThere = (name: string): boolean => Boolean(environment[name]);
  const missing = (secrets: [string, string | undefined][], isGiven: (name: string) => boolean): string[] =>
    secrets.flatMap(([where, name]) =>
      name !== undefined && !isGiven(name) ? [`${where}: the environment has no ${name}`] : [],
    );
  return [
    ...missing(changing, (name) => isThere(name) || isThere(`${name}_FILE`)),
    ...missing(named, isThere),
  ];
}

function thirdPartySecrets({
  providers,
  vault,
}: BehalfConfig['elicitation']): [string, string | undefined][] {
  const ofProviders = providers.flatMap((provider): [string, string | undefined][] =>
    provider.kind === 'static'
      ? []
      : [[`elicitation.providers.${provider.id}.client.privateKeyEnv`, provider.client?.privateKeyEnv]],
  );
  const ofVault = [...(vault.key ? [vault.key] : []), ...vault.formerKeys].map(
    (key): [string, string | undefined] => {
      if (key.kind === 'local') return ['elicitation.vault key.keyEnv', key.keyEnv];
      if (key.kind === 'transit') return ['elicitation.vault key.tokenEnv', key.tokenEnv];
      return ['elicitation.vault key', 'AWS_SECRET_ACCESS_KEY'];
    },
  );
  return [...ofProviders, ...ofVault];
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
