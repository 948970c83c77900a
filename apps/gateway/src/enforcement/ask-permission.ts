import type { DecisionContext, Evaluation } from '@behalf/contracts';
import type { McpRequest } from '@behalf/mcp';
import type { ApprovalTask, PolicyDecisions } from './policy-decisions.js';

export type Permission =
  | { permitted: true; context: DecisionContext | undefined; redact: readonly string[] }
  | { permitted: false; context: DecisionContext | undefined; approval?: ApprovalTask | undefined };

/** Methods whose whole answer passes through here, so that fields can be taken out of it. */
const redactable = new Set([
  'tools/call',
  'tools/list',
  'prompts/get',
  'prompts/list',
  'resources/read',
  'resources/list',
  'resources/templates/list',
  'completion/complete',
]);

/**
 * Asks whether one request may be passed on. When a person has to approve it, the request for that is opened, or found:
 * the policy service knows the exact call, so a client that repeats it needs to bring nothing, and one that changes
 * anything has another call.
 *
 * @throws McpError 503 when there is no decision
 */
export async function askPermission(
  policy: PolicyDecisions,
  evaluation: Evaluation,
  message: McpRequest,
): Promise<Permission> {
  const first = await policy.decide(evaluation);
  if (first.decision) return complied(first.context, message);
  if (!needsApproval(first.context)) return { permitted: false, context: first.context };
  const task = await policy.requestApproval(evaluation, first.context);
  if (task?.status !== 'approved') return { permitted: false, context: first.context, approval: task };

  // Decided anew: between the approval and now anything may have changed, and the approval is used up by this.
  const context = { ...evaluation.context, approval: { id: task.id } };
  const second = await policy.decide({ ...evaluation, context });
  if (second.decision) return complied(second.context, message);
  if (!needsApproval(second.context)) return { permitted: false, context: second.context };
  // Somebody else used it in the meantime, so this call needs one of its own.
  return {
    permitted: false,
    context: second.context,
    approval: await policy.requestApproval(evaluation, second.context),
  };
}

function needsApproval(context: DecisionContext | undefined): context is DecisionContext {
  return context?.reason === 'approval_required';
}

/** A permission with a duty that cannot be done is a denial. @see AuthZEN obligations profile, draft */
function complied(context: DecisionContext | undefined, { method, params }: McpRequest): Permission {
  const obligations = context?.obligations ?? [];
  const redact: string[] = [];
  for (const { type, properties } of obligations) {
    const fields: unknown = properties['fields'];
    const isList = Array.isArray(fields) && fields.every((field) => typeof field === 'string');
    // The result of a task is fetched by another request, which nobody would redact.
    if (type !== 'redact' || !isList || !redactable.has(method) || params?.['task'] !== undefined)
      return { permitted: false, context: { ...context, reason: 'unsupported_obligation' } };
    redact.push(...fields);
  }
  return context?.preview === true ? { permitted: false, context } : { permitted: true, context, redact };
}
