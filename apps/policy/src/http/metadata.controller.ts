import { obligationTypes } from '@behalf/contracts';
import { type ProtectedResourceMetadata, protectedResourceMetadata } from '@behalf/resource-server';
import type { PublicJwk } from '@behalf/signing-keys';
import { Controller, Get, Header, Inject, NotFoundException, Req, UseInterceptors } from '@nestjs/common';
import type { Request } from 'express';
import { type PolicyServiceConfig, requiredScope } from '../config.js';
import { MetadataSigner } from '../metadata-signer.js';
import { POLICY_CONFIG } from '../tokens.js';
import { EchoRequestId } from './echo-request-id.js';

/** @see AuthZEN Authorization API 1.0 §9 */
export interface PolicyDecisionPointMetadata {
  policy_decision_point: string;
  access_evaluation_endpoint: string;
  access_evaluations_endpoint: string;
  search_subject_endpoint: string;
  search_resource_endpoint: string;
  search_action_endpoint: string;
  /** @see AuthZEN access request and approval profile, draft */
  access_request_endpoint: string;
  /** What may come with an answer. @see AuthZEN obligations profile, draft */
  supported_obligations: string[];
  signed_metadata: string;
}

/** Where decisions are asked for, and whose tokens open that. Public. */
@Controller('.well-known')
@UseInterceptors(EchoRequestId)
export class MetadataController {
  constructor(
    @Inject(POLICY_CONFIG) private readonly config: PolicyServiceConfig,
    @Inject(MetadataSigner) private readonly signer: MetadataSigner,
  ) {}

  @Get(['authzen-configuration', 'authzen-configuration/*path'])
  @Header('Cache-Control', 'public, max-age=3600')
  async authzen(@Req() request: Request): Promise<PolicyDecisionPointMetadata> {
    this.#checkPath(request);
    const { publicUrl } = this.config;
    return this.signer.sign({
      policy_decision_point: publicUrl,
      access_evaluation_endpoint: `${publicUrl}/access/v1/evaluation`,
      access_evaluations_endpoint: `${publicUrl}/access/v1/evaluations`,
      search_subject_endpoint: `${publicUrl}/access/v1/search/subject`,
      search_resource_endpoint: `${publicUrl}/access/v1/search/resource`,
      search_action_endpoint: `${publicUrl}/access/v1/search/action`,
      access_request_endpoint: `${publicUrl}/access/v1/access-request`,
      supported_obligations: [...obligationTypes],
    });
  }

  /** For `signed_metadata` only: what else this service signs is for the services of this deployment. */
  @Get('jwks.json')
  @Header('Cache-Control', 'public, max-age=300')
  jwks(): Promise<{ keys: PublicJwk[] }> {
    return this.signer.publicJwks();
  }

  @Get(['oauth-protected-resource', 'oauth-protected-resource/*path'])
  @Header('Cache-Control', 'public, max-age=3600')
  protectedResource(@Req() request: Request): ProtectedResourceMetadata {
    this.#checkPath(request);
    const { publicUrl, issuer } = this.config;
    return protectedResourceMetadata({
      resource: publicUrl,
      name: 'Policy decisions',
      issuer,
      initialScopes: [requiredScope],
    });
  }

  /** What follows the well-known name is the path of the public URL (AuthZEN §9.2, RFC 9728 §3.1), or nothing. */
  #checkPath(request: Request): void {
    const after = request.path.replace(/^\/\.well-known\/[^/]+/, '');
    if (after !== '' && after !== new URL(this.config.publicUrl).pathname) throw new NotFoundException();
  }
}
