import { ClientCertificates } from '@behalf/client-certificate';
import {
  backchannelUrl,
  type BehalfConfig,
  type GatewayConfig,
  type UpstreamConfig,
  upstreamResource,
} from '@behalf/config';
import { protectedResourceMetadataUrl } from '@behalf/oauth';
import { ConfiguredSecret } from '@behalf/service-kit';
import { createHash, createPrivateKey, type KeyObject, randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Where the secrets are that the configuration names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One upstream with the names it is known by outside. */
export interface UpstreamSettings {
  name: string;
  /** The resource identifier, which is also its public URL. */
  resource: string;
  resourceMetadata: string;
  config: UpstreamConfig;
}

/** What the gateway reads of the configuration, with what follows from it. */
export interface GatewaySettings {
  gateway: GatewayConfig;
  issuer: string;
  /** Where the issuer is reached under one of its URLs. */
  reachIssuer: (url: string) => string;
  /** The token endpoint as everybody knows it, and as it is reached from here. */
  tokenUrl: string;
  tokenEndpoint: string;
  jwksUri: string;
  /** The client secret as it is now. */
  clientSecret: () => string;
  /**
   * Secrets for one purpose, the same in all gateways that are this client: the newest one, and while the client secret
   * changes the one before it.
   */
  sharedSecrets: (purpose: string) => () => readonly Uint8Array[];
  /** The DPoP key of all gateways of this client, if they have one in common. */
  dpopKey: KeyObject | undefined;
  certificates: ClientCertificates;
  /** Whether the certificates of clients are known here. */
  seesCertificates: boolean;
  /** Claims of people that policies are given. */
  claimNames: readonly string[];
  upstreams: ReadonlyMap<string, UpstreamSettings>;
}

export const GATEWAY_SETTINGS = Symbol('GATEWAY_SETTINGS');

/** @throws Error when no client secret is configured or found, or not the key that is announced */
export function gatewaySettings(config: BehalfConfig, environment: Environment): GatewaySettings {
  const { gateway, authorizationServer, policy } = config;
  const { issuer, paths } = authorizationServer;
  const tokenUrl = `${issuer}${paths.token}`;
  const reachIssuer = (url: string): string => backchannelUrl(authorizationServer, url);
  const secret = readClientSecret(gateway, environment);
  // Without a client secret a gateway shares nothing: what another one gave out it does not know.
  const shared = secret ?? ConfiguredSecret.of(randomBytes(32).toString('base64url'));
  const exchanges = Object.values(gateway.upstreams).some(
    (upstream) =>
      upstream.transport === 'http' &&
      (upstream.token.kind === 'exchange' || upstream.thirdParty !== undefined),
  );
  if (exchanges && secret === undefined)
    throw new Error('gateway: an upstream needs exchanged tokens, so clientSecretEnv must be set');
  return {
    gateway,
    issuer,
    reachIssuer,
    tokenUrl,
    tokenEndpoint: reachIssuer(tokenUrl),
    jwksUri: reachIssuer(`${issuer}${paths.jwks}`),
    clientSecret: () => secret?.newest() ?? '',
    sharedSecrets: (purpose) => shared.derivedFor(`behalf gateway ${purpose}`),
    dpopKey: gateway.dpop.key && readDpopKey(gateway.dpop.key, environment),
    certificates: new ClientCertificates(config.mutualTls),
    seesCertificates: config.mutualTls.enabled,
    claimNames: Object.keys(policy.personAttributes),
    upstreams: new Map(
      Object.entries(gateway.upstreams).map(([name, upstream]) => {
        const resource = upstreamResource(gateway, name);
        return [
          name,
          { name, resource, resourceMetadata: protectedResourceMetadataUrl(resource), config: upstream },
        ];
      }),
    ),
  };
}

const privateJwkSchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});

/** The key has to be the one that the authorization server was told of: no token would be handed over to another. */
function readDpopKey(
  { privateKeyEnv, jkt }: NonNullable<GatewayConfig['dpop']['key']>,
  environment: Environment,
): KeyObject {
  try {
    const jwk = privateJwkSchema.parse(JSON.parse(environment[privateKeyEnv] ?? ''));
    const { crv, kty, x, y } = jwk;
    const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
    if (thumbprint === jkt) return createPrivateKey({ key: jwk, format: 'jwk' });
  } catch {
    // Nothing of a private key goes into a log, not even what is wrong with it.
  }
  throw new Error(
    `gateway.dpop.key: ${privateKeyEnv} must hold the private JWK (EC, P-256) whose thumbprint is jkt`,
  );
}

function readClientSecret(
  { clientSecretEnv, demoClientSecret }: GatewayConfig,
  environment: Environment,
): ConfiguredSecret | undefined {
  if (clientSecretEnv !== undefined) return ConfiguredSecret.named(clientSecretEnv, environment);
  return demoClientSecret ? ConfiguredSecret.of(demoClientSecret) : undefined;
}
