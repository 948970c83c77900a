import { isIssuedBy, matchesSubject } from '@behalf/client-certificate';
import type { BehalfConfig } from '@behalf/config';
import type { KoaContextWithOIDC, MTLSConfiguration } from 'oidc-provider';
import type { ProviderDependencies } from './dependencies.js';

/**
 * What the library is told about client certificates: where they come from, who issues those of `tls_client_auth`, and
 * whom they name. `self_signed_tls_client_auth` asks for the very certificate, by its thumbprint, and for no issuer.
 *
 * @see RFC 8705 §2, §3
 */
export function mutualTls({
  config,
  certificates,
  authorities,
  clock,
}: Pick<ProviderDependencies, 'config' | 'certificates' | 'authorities' | 'clock'>): MTLSConfiguration {
  if (!config.mutualTls.enabled) return { enabled: false };
  const presented = (ctx: KoaContextWithOIDC) => certificates.of(ctx.req);
  return {
    enabled: true,
    certificateBoundAccessTokens: true,
    selfSignedTlsClientAuth: true,
    tlsClientAuth: true,
    getCertificate: presented,
    certificateAuthorized: (ctx) => {
      const certificate = presented(ctx);
      return certificate !== undefined && isIssuedBy(certificate, authorities, clock.nowMs());
    },
    certificateSubjectMatches: (ctx, subject, expected) => {
      const certificate = presented(ctx);
      return certificate !== undefined && matchesSubject(certificate, subject, expected);
    },
  };
}

/** What a client's tokens have to be bound to, as client metadata. @see RFC 9449 §5.2, RFC 8705 §3.4 */
export function bindingMetadata(boundTokens: 'dpop' | 'mtls' | undefined) {
  return {
    ...(boundTokens === 'dpop' && { dpop_bound_access_tokens: true }),
    ...(boundTokens === 'mtls' && { tls_client_certificate_bound_access_tokens: true }),
  };
}

/**
 * The endpoints at which a client authenticates or shows a certificate, where asking every browser for one is avoided by
 * a host of its own.
 *
 * @see RFC 8705 §5
 */
export function mutualTlsMetadata({ authorizationServer, mutualTls: { enabled } }: BehalfConfig) {
  const { issuer, mutualTlsUrl, paths } = authorizationServer;
  if (!enabled || mutualTlsUrl === undefined) return {};
  const at = (path: string): string => `${mutualTlsUrl}${new URL(issuer).pathname.replace(/\/$/, '')}${path}`;
  return {
    mtls_endpoint_aliases: {
      token_endpoint: at(paths.token),
      revocation_endpoint: at(paths.revocation),
      introspection_endpoint: at(paths.introspection),
      pushed_authorization_request_endpoint: at(paths.pushedAuthorizationRequest),
      userinfo_endpoint: at(paths.userinfo),
    },
  };
}
