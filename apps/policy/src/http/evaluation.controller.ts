import {
  type EvaluationDecision,
  type EvaluationsDecision,
  evaluationSchema,
  evaluationsRequestSchema,
} from '@behalf/contracts';
import { type IJsonLimits } from '@behalf/i-json';
import { OAuthError } from '@behalf/oauth';
import { TooManyEvaluations } from '@behalf/policy';
import { readJsonBody } from '@behalf/service-kit';
import { Controller, Header, HttpCode, Inject, Post, Req, UseFilters, UseInterceptors } from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { batchLimits, evaluationLimits } from '../config.js';
import { DecisionPoint } from '../decision-point.js';
import { AuthzenErrorFilter } from './authzen-error.filter.js';
import { CallerAuthentication } from './caller-authentication.js';
import { EchoRequestId } from './echo-request-id.js';

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
    const evaluation = parse(evaluationSchema, await readBody(request, evaluationLimits));
    return this.decisions.decide(evaluation, caller);
  }

  /** Without `evaluations` it is one evaluation, and answered as one (§7.1). */
  @Post('evaluations')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async evaluations(@Req() request: Request): Promise<EvaluationsDecision | EvaluationDecision> {
    const caller = await this.callers.authenticate(request);
    const batch = parse(batchSchema, await readBody(request, batchLimits));
    if (!batch.evaluations?.length) return this.decisions.decide(parse(evaluationSchema, batch), caller);
    return this.decisions.decideBatch(batch, caller).catch((error: unknown) => {
      if (error instanceof TooManyEvaluations)
        throw new OAuthError('invalid_request', error.message, { cause: error });
      throw error;
    });
  }
}

async function readBody(request: Request, limits: IJsonLimits): Promise<unknown> {
  return readJsonBody(request, limits).catch((error: unknown) => {
    // AuthZEN §10.1 knows 400 only; 413 stays, since it tells the caller what would help.
    if (error instanceof OAuthError && error.status === 415) {
      throw new OAuthError('invalid_request', error.description, { status: 400, cause: error });
    }
    throw error;
  });
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const places = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'the body'))];
  throw new OAuthError('invalid_request', `missing or malformed: ${places.slice(0, 5).join(', ')}`);
}
