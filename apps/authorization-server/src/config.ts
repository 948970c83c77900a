import type { ClientConfig } from '@behalf/config';

/** The schema is `authorizationServer` of `@behalf/config`; secrets are named there and read here. */
export function clientSecretFrom(
  environment: Readonly<Record<string, string | undefined>>,
): (client: ClientConfig) => string | undefined {
  return (client) => (client.secretEnv === undefined ? client.demoSecret : environment[client.secretEnv]);
}
