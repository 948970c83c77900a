import { type ProtectedResourceMetadata, protectedResourceMetadata } from '@behalf/resource-server';
import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ELICITATION_CONFIG, type ElicitationServiceConfig } from '../config.js';

/** Whose tokens open the interfaces for programs. Public. @see RFC 9728 §3 */
@Controller('.well-known')
export class MetadataController {
  constructor(@Inject(ELICITATION_CONFIG) private readonly config: ElicitationServiceConfig) {}

  @Get(['oauth-protected-resource', 'oauth-protected-resource/*path'])
  @Header('Cache-Control', 'public, max-age=3600')
  protectedResource(): ProtectedResourceMetadata {
    const { publicUrl, issuer } = this.config;
    return protectedResourceMetadata({
      resource: publicUrl,
      name: 'Connections to third parties',
      issuer,
      initialScopes: ['elicitation:read'],
    });
  }
}
