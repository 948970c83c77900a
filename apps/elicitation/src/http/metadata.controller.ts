import { forwardScope } from '@behalf/config';
import { type ProtectedResourceMetadata, protectedResourceMetadata } from '@behalf/resource-server';
import { type ClientMetadata, buildClientMetadata } from '@behalf/third-party';
import { Controller, Get, Header, Inject, Req, type Type } from '@nestjs/common';
import type { Request } from 'express';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';
import { FORWARD_SETTINGS, type ForwardSettings } from '../forward/forward-settings.js';
import { ProviderCatalog } from '../provider-catalog.js';

/**
 * Our client identifier metadata document: who we are to authorization servers that take one.
 *
 * @see draft-ietf-oauth-client-id-metadata-document §4
 */
export function clientMetadataController({
  clientMetadata,
  callback,
}: ElicitationServiceConfig['paths']): Type {
  @Controller(clientMetadata)
  class ClientMetadataController {
    constructor(
      @Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig,
      @Inject(ProviderCatalog) private readonly providers: ProviderCatalog,
    ) {}

    @Get()
    @Header('Cache-Control', 'public, max-age=3600')
    document(): ClientMetadata {
      const { publicUrl } = this.config;
      const redirectUris = this.providers.idsOf('mcp').map((id) => `${publicUrl}${callback}/${id}`);
      return buildClientMetadata(`${publicUrl}${clientMetadata}`, redirectUris);
    }
  }
  return ClientMetadataController;
}

/** Whose tokens open the interfaces for programs. Public. @see RFC 9728 §3 */
@Controller('.well-known')
export class MetadataController {
  constructor(
    @Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig,
    @Inject(FORWARD_SETTINGS) private readonly forwards: ForwardSettings,
    @Inject(ProviderCatalog) private readonly providers: ProviderCatalog,
  ) {}

  @Get(['oauth-protected-resource', 'oauth-protected-resource/*path'])
  @Header('Cache-Control', 'public, max-age=3600')
  protectedResource(@Req() { path }: Request): ProtectedResourceMetadata {
    const { publicUrl, issuer } = this.config;
    const { metadataOf, resourceOf, seesCertificates } = this.forwards;
    const forwarded = this.providers.all.find(
      ({ id, forwarding }) => forwarding !== undefined && new URL(metadataOf(id)).pathname === path,
    );
    if (forwarded)
      return protectedResourceMetadata({
        resource: resourceOf(forwarded.id),
        name: `${forwarded.name}, on behalf of people`,
        issuer,
        initialScopes: [forwardScope],
        boundTokens: { dpopRequired: false, certificates: seesCertificates },
      });
    return protectedResourceMetadata({
      resource: publicUrl,
      name: 'Connections to third parties',
      issuer,
      initialScopes: ['elicitation:read'],
    });
  }
}
