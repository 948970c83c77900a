import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import {
  UnmappableRequest,
  cedarAnswer,
  isPlainPermit,
  opaResult,
  readCedarAuthorize,
  readOpaInput,
  readPorc,
} from '@behalf/policy-dialects';
import { LOGGER, type Logger } from '@behalf/service-kit';
import { Controller, Header, HttpCode, Inject, Post, Req, UseFilters, UseInterceptors } from '@nestjs/common';
import type { Request } from 'express';
import { evaluationLimits } from '../config.js';
import { DecisionPoint } from '../decision-point.js';
import { AuthzenErrorFilter } from './authzen-error.filter.js';
import { CallerAuthentication } from './caller-authentication.js';
import { EchoRequestId } from './echo-request-id.js';
import { readEvaluationBody } from './read-evaluation-body.js';

/**
 * Gateways that ask in words of their own: ToolHive (PORC), whatever queries an OPA, and ContextForge's Cedar engine.
 * A request that can be read and still means nothing here is answered with a denial, one that cannot be read with 400.
 */
@Controller()
@UseFilters(AuthzenErrorFilter)
@UseInterceptors(EchoRequestId)
export class GatewayDialectsController {
  constructor(
    @Inject(DecisionPoint) private readonly decisions: DecisionPoint,
    @Inject(CallerAuthentication) private readonly callers: CallerAuthentication,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Post('decision')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async porc(@Req() request: Request): Promise<{ allow: boolean }> {
    return { allow: isPlainPermit(await this.#decide(request, 'porc', readPorc)) };
  }

  @Post('v1/data/*path')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async opa(@Req() request: Request): Promise<{ result: unknown }> {
    return opaResult(request.path, await this.#decide(request, 'opa', readOpaInput));
  }

  @Post('v1/authorize')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async cedar(@Req() request: Request): Promise<{ decision: string }> {
    return cedarAnswer(await this.#decide(request, 'cedar', readCedarAuthorize));
  }

  async #decide(
    request: Request,
    dialect: string,
    read: (body: unknown) => Evaluation,
  ): Promise<EvaluationDecision> {
    const caller = await this.callers.authenticate(request);
    const body = await readEvaluationBody(request, evaluationLimits);
    let evaluation: Evaluation;
    try {
      evaluation = read(body);
    } catch (cause) {
      if (!(cause instanceof UnmappableRequest)) throw cause;
      if (cause.why === 'malformed') throw new OAuthError('invalid_request', cause.problem, { cause });
      this.logger.warn({ dialect, why: cause.problem }, 'a request was refused without being decided');
      return { decision: false, context: { reason: 'invalid_request' } };
    }
    return this.decisions.decide(evaluation, caller);
  }
}
