import type { ServiceName } from '@behalf/contracts';
import type { BehalfConfig } from './config-schema.js';

type Environment = Readonly<Record<string, string | undefined>>;

interface NamedSecret {
  where: string;
  /** The variable that holds it. Undefined: the configuration names none. */
  name: string | undefined;
  /** It may be in a file, `<name>_FILE`, which is read anew while the service runs. */
  mayBeFile?: true;
}

/**
 * Secrets that the configuration names and the environment does not have. Each service has its own and nobody else's,
 * so that who breaks into one has no more than that.
 *
 * @param holder whose secrets have to be there; without it those of all, who run in one process then
 */
export function missingSecrets(
  config: BehalfConfig,
  environment: Environment,
  holder: ServiceName | undefined,
): string[] {
  const holders = holder === undefined ? Object.values(secretsOf) : [secretsOf[holder]];
  return holders
    .flatMap((secrets) => secrets(config))
    .flatMap(({ where, name, mayBeFile }) => {
      const isThere = !name || environment[name] || (mayBeFile && environment[`${name}_FILE`]);
      return isThere ? [] : [`${where}: the environment has no ${name}`];
    });
}

const secretsOf: Readonly<Record<ServiceName, (config: BehalfConfig) => NamedSecret[]>> = {
  'authorization-server': ({ authorizationServer: { clients, signIn, sharedSignals } }) => [
    ...clients.map(({ clientId, secretEnv }): NamedSecret => ({
      where: `authorizationServer.clients.${clientId}.secretEnv`,
      name: secretEnv,
      mayBeFile: true,
    })),
    {
      where: 'authorizationServer.signIn.clientSecretEnv',
      name: signIn.method === 'upstream' ? signIn.clientSecretEnv : undefined,
      mayBeFile: true,
    },
    ...sharedSignals.transmitters.flatMap(({ name, authorizationEnv, poll }): NamedSecret[] => {
      const where = `authorizationServer.sharedSignals.transmitters.${name}`;
      return [
        { where: `${where}.authorizationEnv`, name: authorizationEnv },
        { where: `${where}.poll.tokenEnv`, name: poll?.tokenEnv },
      ];
    }),
  ],
  policy: ({ policy: { approvals, dialects } }) => [
    { where: 'policy.approvals.secretEnv', name: approvals.secretEnv, mayBeFile: true },
    {
      where: 'policy.dialects.exchange.clientSecretEnv',
      name: dialects.exchange?.clientSecretEnv,
      mayBeFile: true,
    },
  ],
  elicitation: ({ elicitation: { client, providers, vault } }) => [
    { where: 'elicitation.client.secretEnv', name: client?.secretEnv, mayBeFile: true },
    ...providers.flatMap((provider): NamedSecret[] => {
      const where = `elicitation.providers.${provider.id}`;
      const own = provider.kind === 'static' ? undefined : provider.client;
      return [
        { where: `${where}.client.secretEnv`, name: own?.secretEnv, mayBeFile: true },
        { where: `${where}.client.privateKeyEnv`, name: own?.privateKeyEnv },
        {
          where: `${where}.webhook.secretEnv`,
          name: provider.kind === 'oauth' ? provider.webhook?.secretEnv : undefined,
        },
      ];
    }),
    ...[...(vault.key ? [vault.key] : []), ...vault.formerKeys].map((key): NamedSecret => {
      if (key.kind === 'local') return { where: 'elicitation.vault key.keyEnv', name: key.keyEnv };
      if (key.kind === 'transit') return { where: 'elicitation.vault key.tokenEnv', name: key.tokenEnv };
      return { where: 'elicitation.vault key', name: 'AWS_SECRET_ACCESS_KEY' };
    }),
  ],
  gateway: ({ gateway: { clientSecretEnv } }) => [
    { where: 'gateway.clientSecretEnv', name: clientSecretEnv, mayBeFile: true },
  ],
};
