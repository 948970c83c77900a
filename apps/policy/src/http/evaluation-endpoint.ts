import {
  type EvaluationDecision,
  type EvaluationsDecision,
  evaluationSchema,
  evaluationsRequestSchema,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { TooManyEvaluations } from '@behalf/policy';
import { isPlainPermit } from '@behalf/policy-dialects';
import type { Request, RequestHandler } from 'express';
import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { batchLimits, evaluationLimits } from '../config.js';
import type { DecisionPoint } from '../decision-point.js';
import type { AuthzenErrorFilter } from './authzen-error.filter.js';
import type { CallerAuthentication } from './caller-authentication.js';
import { echoRequestId } from './echo-request-id.js';
import { parseBody, readEvaluationBody } from './read-evaluation-body.js';

/** Items are looked at one by one, so that a malformed one costs only its own answer. */
const batchSchema = evaluationsRequestSchema.extend({ evaluations: z.array(z.unknown()).optional() });

export interface EvaluationEndpointOptions {
  decisions: DecisionPoint;
  callers: CallerAuthentication;
  faults: AuthzenErrorFilter;
}

type Answer = EvaluationDecision | EvaluationsDecision;

/**
 * AuthZEN over HTTP. An answer is 200 whatever the decision; other statuses are about the call.
 *
 * `enforce` is the same with the decision as status, for gateways that take every 2xx for an allow and do not read the
 * body: 403 when denied, and when permitted under obligations that such a caller never sees.
 *
 * Stands before the framework's router, which would cost as much as the decision.
 *
 * @see AuthZEN Authorization API 1.0 §6, §7, §10
 */
export function evaluationEndpoint({
  decisions,
  callers,
  faults,
}: EvaluationEndpointOptions): RequestHandler {
  const evaluate = async (request: Request): Promise<EvaluationDecision> => {
    const caller = await callers.authenticate(request);
    const evaluation = parseBody(evaluationSchema, await readEvaluationBody(request, evaluationLimits));
    return decisions.decide(evaluation, caller);
  };
  const routes: Record<string, (request: Request, response: ServerResponse) => Promise<void>> = {
    '/access/v1/evaluation': async (request, response) =>
      send(request, response, 200, await evaluate(request)),
    '/access/v1/evaluations': async (request, response) =>
      send(request, response, 200, await evaluateBatch(request, decisions, callers)),
    '/access/v1/enforce': async (request, response) => {
      const answer = await evaluate(request);
      send(request, response, isPlainPermit(answer) ? 200 : 403, answer);
    },
  };
  return (request, response, next) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const route = request.method === 'POST' && Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (route === undefined) return next();
    const answer = async (): Promise<void> => {
      decisions.checkRoom();
      await route(request, response);
    };
    answer().catch((error: unknown) => faults.refuse(error, request, response));
  };
}

/** Without `evaluations` it is one evaluation, and answered as one (§7.1). */
async function evaluateBatch(
  request: Request,
  decisions: DecisionPoint,
  callers: CallerAuthentication,
): Promise<Answer> {
  const caller = await callers.authenticate(request);
  const batch = parseBody(batchSchema, await readEvaluationBody(request, batchLimits));
  if (!batch.evaluations?.length) return decisions.decide(parseBody(evaluationSchema, batch), caller);
  return decisions.decideBatch(batch, caller).catch((error: unknown) => {
    if (error instanceof TooManyEvaluations)
      throw new OAuthError('invalid_request', error.message, { cause: error });
    throw error;
  });
}

/** Head and body in one piece: one write to the socket. */
function send(request: Request, response: ServerResponse, status: number, answer: Answer): void {
  const body = Buffer.from(JSON.stringify(answer));
  echoRequestId(request, response);
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.byteLength,
      'Cache-Control': 'no-store',
    })
    .end(body);
}
