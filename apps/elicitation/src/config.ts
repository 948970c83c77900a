import { type BehalfConfig, backchannelUrl } from '@behalf/config';
import { ConfiguredSecret } from '@behalf/service-kit';

/** What this service reads of the configuration, with what follows from it. */
export interface ElicitationServiceConfig {
  publicUrl: string;
  issuer: string;
  /** Where the issuer is reached under one of its URLs. */
  reachIssuer: (url: string) => string;
  jwksUri: string;
  paths: BehalfConfig['elicitation']['paths'];
  elicitationSeconds: number;
  /** Undefined: nobody can be sent anywhere. */
  client: { id: string; secret: ConfiguredSecret } | undefined;
}

export const ELICITATION_CONFIG = Symbol('ELICITATION_CONFIG');

export function elicitationServiceConfig(
  { authorizationServer, elicitation }: BehalfConfig,
  environment = process.env,
): ElicitationServiceConfig {
  const { issuer, paths } = authorizationServer;
  const { publicUrl, client, elicitationSeconds } = elicitation;
  const reachIssuer = (url: string): string => backchannelUrl(authorizationServer, url);
  return {
    publicUrl,
    issuer,
    reachIssuer,
    jwksUri: reachIssuer(`${issuer}${paths.jwks}`),
    paths: elicitation.paths,
    elicitationSeconds,
    client: client && {
      id: client.id,
      secret:
        client.secretEnv === undefined
          ? ConfiguredSecret.of(client.demoSecret ?? '')
          : ConfiguredSecret.named(client.secretEnv, environment),
    },
  };
}
