import { obligationTypes } from '@behalf/contracts';
import { type ProtectedResourceMetadata, protectedResourceMetadata } from '@behalf/resource-server';
import { Controller, Get, Header, Inject, NotFoundException, Req, UseInterceptors } from '@nestjs/common';
import type { Request } from 'express';
import { type PolicyServiceConfig, requiredScope } from '../config.js';
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
}

/** Where decisions are asked for, and whose tokens open that. Public. */
@Controller('.well-known')
@UseInterceptors(EchoRequestId)
export class MetadataController {
  constructor(@Inject(POLICY_CONFIG) private readonly config: PolicyServiceConfig) {}

  @Get(['authzen-configuration', 'authzen-configuration/*path'])
  @Header('Cache-Control', 'public, max-age=3600')
  authzen(@Req() request: Request): PolicyDecisionPointMetadata {
    this.#checkPath(request);
    const { publicUrl } = this.config;
    return {
      policy_decision_point: publicUrl,
      access_evaluation_endpoint: `${publicUrl}/access/v1/evaluation`,
      access_evaluations_endpoint: `${publicUrl}/access/v1/evaluations`,
      search_subject_endpoint: `${publicUrl}/access/v1/search/subject`,
      search_resource_endpoint: `${publicUrl}/access/v1/search/resource`,
      search_action_endpoint: `${publicUrl}/access/v1/search/action`,
      access_request_endpoint: `${publicUrl}/access/v1/access-request`,
      supported_obligations: [...obligationTypes],
    };
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
