import {
  type EvaluationDecision,
  type EvaluationsDecision,
  evaluationsRequestSchema,
  parseEvaluation,
} from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import { TooManyEvaluations } from '@behalf/policy';
import { isPlainPermit } from '@behalf/policy-dialects';
import type { PlainRoutes } from '@behalf/service-kit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { batchLimits, evaluationLimits } from '../config.js';
import type { DecisionPoint } from '../decision-point.js';
import type { AuthzenErrorFilter } from './authzen-error.filter.js';
import type { CallerAuthentication } from './caller-authentication.js';
import { echoRequestId } from './echo-request-id.js';
import { parsedBody, readEvaluationBody } from './read-evaluation-body.js';

/** Items are looked at one by one, so that a malformed one costs only its own answer. */
const batchSchema = evaluationsRequestSchema.extend({ evaluations: z.array(z.unknown()).optional() });

export interface EvaluationRoutesOptions {
  decisions: DecisionPoint;
  callers: CallerAuthentication;
  faults: AuthzenErrorFilter;
  /** The path of the public URL: a proxy may pass paths on as they are. */
  basePath: string;
}

type Answer = EvaluationDecision | EvaluationsDecision;

/**
 * AuthZEN over HTTP. An answer is 200 whatever the decision; other statuses are about the call.
 *
 * `enforce` is the same with the decision as status, for gateways that take every 2xx for an allow and do not read the
 * body: 403 when denied, and when permitted under obligations that such a caller never sees.
 *
 * @see AuthZEN Authorization API 1.0 §6, §7, §10
 */
export function evaluationRoutes(options: EvaluationRoutesOptions): PlainRoutes {
  const { decisions, callers, faults, basePath } = options;
  const evaluate = async (request: IncomingMessage): Promise<EvaluationDecision> => {
    const caller = await callers.authenticate(request);
    const body = await readEvaluationBody(request, evaluationLimits);
    return decisions.decide(parsedBody(parseEvaluation(body)), caller);
  };
  const answers: Record<string, (request: IncomingMessage) => Promise<[status: number, answer: Answer]>> = {
    '/access/v1/evaluation': async (request) => [200, await evaluate(request)],
    '/access/v1/evaluations': async (request) => [200, await evaluateBatch(request, decisions, callers)],
    '/access/v1/enforce': async (request) => {
      const answer = await evaluate(request);
      return [isPlainPermit(answer) ? 200 : 403, answer];
    },
  };
  const routes = Object.entries(answers).flatMap(([path, answer]) => {
    const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      try {
        decisions.checkRoom();
        send(request, response, ...(await answer(request)));
      } catch (error) {
        faults.refuse(error, request, response);
      }
    };
    const paths = basePath === '/' ? [path] : [path, basePath + path];
    return paths.map(
      (one) =>
        [one, (request, response) => void route(request, response)] satisfies [string, PlainRoutes[string]],
    );
  });
  return Object.fromEntries(routes);
}

/** Without `evaluations` it is one evaluation, and answered as one (§7.1). */
async function evaluateBatch(
  request: IncomingMessage,
  decisions: DecisionPoint,
  callers: CallerAuthentication,
): Promise<Answer> {
  const caller = await callers.authenticate(request);
  const batch = parsedBody(batchSchema.safeParse(await readEvaluationBody(request, batchLimits)));
  if (!batch.evaluations?.length) return decisions.decide(parsedBody(parseEvaluation(batch)), caller);
  return decisions.decideBatch(batch, caller).catch((error: unknown) => {
    if (error instanceof TooManyEvaluations)
      throw new OAuthError('invalid_request', error.message, { cause: error });
    throw error;
  });
}

/** As text, head and body are one write to the socket. */
function send(request: IncomingMessage, response: ServerResponse, status: number, answer: Answer): void {
  const body = JSON.stringify(answer);
  echoRequestId(request, response);
  response
    .writeHead(status, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-store',
    })
    .end(body);
}
