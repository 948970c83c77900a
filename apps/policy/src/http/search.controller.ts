import { OAuthError } from '@behalf/oauth';
import { type SearchAnswer, type SearchKind, UnmappableRequest, search } from '@behalf/policy-dialects';
import {
  Controller,
  Header,
  HttpCode,
  Inject,
  Param,
  Post,
  Req,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import type { Request } from 'express';
import { type PolicyServiceConfig, evaluationLimits } from '../config.js';
import { DecisionPoint } from '../decision-point.js';
import { EntityCatalog } from '../entity-catalog.js';
import { POLICY_CONFIG } from '../tokens.js';
import { AuthzenErrorFilter } from './authzen-error.filter.js';
import { CallerAuthentication } from './caller-authentication.js';
import { EchoRequestId } from './echo-request-id.js';
import { readEvaluationBody } from './read-evaluation-body.js';

const kinds: ReadonlySet<string> = new Set<SearchKind>(['subject', 'resource', 'action']);

/**
 * Who may, what may be done, on what: every candidate is decided on like any other evaluation, and recorded.
 *
 * @see AuthZEN Authorization API 1.0 §8
 */
@Controller('access/v1/search')
@UseFilters(AuthzenErrorFilter)
@UseInterceptors(EchoRequestId)
export class SearchController {
  constructor(
    @Inject(DecisionPoint) private readonly decisions: DecisionPoint,
    @Inject(CallerAuthentication) private readonly callers: CallerAuthentication,
    @Inject(EntityCatalog) private readonly catalog: EntityCatalog,
    @Inject(POLICY_CONFIG) private readonly config: PolicyServiceConfig,
  ) {}

  @Post(':kind')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async search(@Req() request: Request, @Param('kind') kind: string): Promise<SearchAnswer> {
    const caller = await this.callers.authenticate(request);
    if (!kinds.has(kind)) throw new OAuthError('invalid_request', 'there is no such search', { status: 404 });
    const body = await readEvaluationBody(request, evaluationLimits);
    try {
      return await search(kind as SearchKind, body, {
        known: this.catalog.known(),
        resourceTypes: this.config.resourceTypes,
        decide: (batch) => this.decisions.decideBatch(batch, caller),
      });
    } catch (cause) {
      if (!(cause instanceof UnmappableRequest)) throw cause;
      throw new OAuthError('invalid_request', cause.problem, { cause });
    }
  }
}
