import type { ClientConfig } from '@behalf/config';
import { ConfiguredSecret } from '@behalf/service-kit';

/** The schema is `authorizationServer` of `@behalf/config`; secrets are named there and read here, again and again. */
export function clientSecretsFrom(
  clients: readonly ClientConfig[],
  environment: Readonly<Record<string, string | undefined>>,
): (clientId: string) => readonly string[] | undefined {
  const secrets = new Map<string, ConfiguredSecret>();
  for (const { clientId, secretEnv, demoSecret } of clients) {
    if (secretEnv !== undefined) secrets.set(clientId, ConfiguredSecret.named(secretEnv, environment));
    else if (demoSecret !== undefined) secrets.set(clientId, ConfiguredSecret.of(demoSecret));
  }
  return (clientId) => secrets.get(clientId)?.accepted();
}
