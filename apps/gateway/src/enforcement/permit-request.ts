import type { DecisionContext } from '@behalf/contracts';
import {
  type Era,
  type Json,
  type McpMethod,
  type McpRequest,
  approvalInputRequest,
  buildEvaluation,
  deniedError,
  deniedToolResult,
  remediableError,
  remediableToolResult,
} from '@behalf/mcp';
import type { Logger } from '@behalf/service-kit';
import { attributes } from '@behalf/telemetry';
import { trace } from '@opentelemetry/api';
import type { ServerResponse } from 'node:http';
import type { UpstreamSettings } from '../config.js';
import { askPermission } from './ask-permission.js';
import { stepUp } from './authenticate.js';
import { type QuestionDetails, describeQuestion } from './describe-question.js';
import type { ApprovalTask, PolicyDecisions } from './policy-decisions.js';
import { remedyOf } from './remedy-of.js';

export interface RequestToPermit {
  message: McpRequest;
  method: McpMethod;
  era: Era;
  settings: UpstreamSettings;
  details: QuestionDetails;
  /** Where a challenge goes, when more scope would help. */
  response: ServerResponse;
}

/**
 * Asks policy about one request.
 *
 * @returns the fields to take out of its result, or what a denied caller is answered in place of a result
 * @throws McpError 403 when more scope would help, an error of the protocol for a denied request that is no
 *   `tools/call`, 503 when there is no decision
 */
export async function permitRequest(
  request: RequestToPermit,
  { policy, logger }: { policy: PolicyDecisions; logger: Logger },
): Promise<{ redact: readonly string[] } | { denial: Json }> {
  const { message, method, era, settings, details, response } = request;
  if (method.decidedOn === 'token') return { redact: [] };
  const { claims } = details;
  const question = buildEvaluation(claims, settings.name, message, method);
  const evaluation = describeQuestion(question, settings.name, details);
  const permission = await askPermission(policy, evaluation, message);
  const { permitted, context = {} } = permission;
  trace.getActiveSpan()?.setAttributes({
    [attributes.decision]: permitted,
    ...(context.id !== undefined && { [attributes.decisionId]: context.id }),
    ...(context.reason !== undefined && { [attributes.decisionReason]: context.reason }),
  });
  if (permission.permitted) return { redact: permission.redact };
  const { id: decision, reason } = context;
  logger.info(
    { decision, reason, server: settings.name, method: message.method, client: claims.client_id },
    'denied by policy',
  );
  if (reason === 'insufficient_scope' && context.scope !== undefined)
    throw stepUp(claims, context.scope, response, settings);
  return { denial: denialOf(era, message, context, permission.approval) };
}

/** @throws McpError for every method but `tools/call`, unless its client can be asked to show a page */
function denialOf(
  era: Era,
  message: McpRequest,
  context: DecisionContext,
  approval: ApprovalTask | undefined,
): Json {
  const isCall = message.method === 'tools/call';
  const remedy = remedyOf(context, approval);
  if (remedy === undefined) {
    if (isCall) return deniedToolResult(era, context.id);
    throw deniedError(context.id);
  }
  const asked = approval?.status === 'pending' && approvalInputRequest(era, message, context.id, remedy);
  if (asked) return asked;
  if (isCall) return remediableToolResult(era, context.id, remedy);
  throw remediableError(context.id, remedy);
}
