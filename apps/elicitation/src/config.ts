import { type BehalfConfig, backchannelUrl } from '@behalf/config';

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
  client: { id: string; secret: string } | undefined;
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
      secret: (client.secretEnv === undefined ? client.demoSecret : environment[client.secretEnv]) ?? '',
    },
  };
}
