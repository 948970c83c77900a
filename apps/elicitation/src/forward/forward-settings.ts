import { type BehalfConfig, forwardResource } from '@behalf/config';
import { ClientCertificates } from '@behalf/client-certificate';
import { protectedResourceMetadataUrl } from '@behalf/oauth';
import type { Clock, OneTimeStore } from '@behalf/ports';
import { type AccessTokenVerifier, DpopNonces, SenderConstraints } from '@behalf/resource-server';
import type { ConfiguredSecret } from '@behalf/service-kit';

/** What the tokens of callers are checked with. */
export interface TokenChecks {
  verifier: AccessTokenVerifier;
  constraints: SenderConstraints;
  certificates: ClientCertificates;
}

export interface ForwardSettings {
  publicUrl: string;
  path: string;
  /** The resource that tokens for one provider's API are for, and the URL that it is called below. */
  resourceOf: (provider: string) => string;
  metadataOf: (provider: string) => string;
  certificates: ClientCertificates;
  seesCertificates: boolean;
  /** The same in every process of this service. */
  nonceSecrets: () => readonly Uint8Array[];
}

export const FORWARD_SETTINGS = Symbol('FORWARD_SETTINGS');

export function forwardSettings(
  { elicitation, mutualTls }: BehalfConfig,
  clientSecret: ConfiguredSecret,
): ForwardSettings {
  const resourceOf = (provider: string): string => forwardResource(elicitation, provider);
  return {
    publicUrl: elicitation.publicUrl,
    path: elicitation.paths.forward,
    resourceOf,
    metadataOf: (provider) => protectedResourceMetadataUrl(resourceOf(provider)),
    certificates: new ClientCertificates(mutualTls),
    seesCertificates: mutualTls.enabled,
    nonceSecrets: clientSecret.derivedFor('behalf forward dpop nonces'),
  };
}

export function tokenChecks(
  { certificates, nonceSecrets }: ForwardSettings,
  verifier: AccessTokenVerifier,
  clock: Clock,
  oneTime: OneTimeStore,
): TokenChecks {
  const nonces = new DpopNonces(nonceSecrets, clock);
  const constraints = new SenderConstraints({ clock, oneTime, nonces, requireNonce: false });
  return { verifier, constraints, certificates };
}
