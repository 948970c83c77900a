import {
  type EvaluationDecision,
  type EvaluationsDecision,
  evaluationSchema,
  evaluationsRequestSchema,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { TooManyEvaluations } from '@behalf/policy';
import { isPlainPermit } from '@behalf/policy-dialects';
import {
  Controller,
  Header,
  HttpCode,
  Inject,
  Post,
  Req,
  Res,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { batchLimits, evaluationLimits } from '../config.js';
import { DecisionPoint } from '../decision-point.js';
import { AuthzenErrorFilter } from './authzen-error.filter.js';
import { CallerAuthentication } from './caller-authentication.js';
import { EchoRequestId } from './echo-request-id.js';
import { parseBody, readEvaluationBody } from './read-evaluation-body.js';

/** Items are looked at one by one, so that a malformed one costs only its own answer. */
const batchSchema = evaluationsRequestSchema.extend({ evaluations: z.array(z.unknown()).optional() });

/**
 * AuthZEN over HTTP. An answer is 200 whatever the decision; other statuses are about the call.
 *
 * @see AuthZEN Authorization API 1.0 §6, §7, §10
 */
@Controller('access/v1')
@UseFilters(AuthzenErrorFilter)
@UseInterceptors(EchoRequestId)
export class EvaluationController {
  constructor(
    @Inject(DecisionPoint) private readonly decisions: DecisionPoint,
    @Inject(CallerAuthentication) private readonly callers: CallerAuthentication,
  ) {}

  @Post('evaluation')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async evaluation(@Req() request: Request): Promise<EvaluationDecision> {
    const caller = await this.callers.authenticate(request);
    const evaluation = parseBody(evaluationSchema, await readEvaluationBody(request, evaluationLimits));
    return this.decisions.decide(evaluation, caller);
  }

  /**
   * The same with the decision as status, for gateways that take every 2xx for an allow and do not read the body:
   * 403 when denied, and when permitted under obligations that such a caller never sees.
   */
  @Post('enforce')
  @Header('Cache-Control', 'no-store')
  async enforce(@Req() request: Request, @Res({ passthrough: true }) response: Response) {
    const answer = await this.evaluation(request);
    response.status(isPlainPermit(answer) ? 200 : 403);
    return answer;
  }

  /** Without `evaluations` it is one evaluation, and answered as one (§7.1). */
  @Post('evaluations')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async evaluations(@Req() request: Request): Promise<EvaluationsDecision | EvaluationDecision> {
    const caller = await this.callers.authenticate(request);
    const batch = parseBody(batchSchema, await readEvaluationBody(request, batchLimits));
    if (!batch.evaluations?.length) return this.decisions.decide(parseBody(evaluationSchema, batch), caller);
    return this.decisions.decideBatch(batch, caller).catch((error: unknown) => {
      if (error instanceof TooManyEvaluations)
        throw new OAuthError('invalid_request', error.message, { cause: error });
      throw error;
    });
  }
}
