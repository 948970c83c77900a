import type { AuditRecord } from '@behalf/audit';
import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { activeTraceId } from '@behalf/telemetry';

export interface RecordedDecision {
  evaluation: Evaluation;
  answer: EvaluationDecision;
  caller: string | undefined;
  actors: string[];
  occurredAtMs: number;
  tookMicros: number;
}

/**
 * The audit record of one decision: who asked for whom about what, and which policies said what. No arguments. Members
 * stand in the order that they have in the log, which spares sorting them.
 */
export function buildDecisionRecord({
  evaluation,
  answer,
  caller,
  actors,
  occurredAtMs,
  tookMicros,
}: RecordedDecision): AuditRecord {
  const { subject, action, resource, context } = evaluation;
  const server = resource.properties?.['server'] ?? context?.['server'];
  const { id, reason, policies, errors, policy_version } = answer.context ?? {};
  const traceId = activeTraceId();
  const details: NonNullable<AuditRecord['details']> = {
    action: action.name,
    errors: errors ?? [],
    policies: policies ?? [],
  };
  if (policy_version !== undefined) details['policyVersion'] = policy_version;
  if (reason !== undefined) details['reason'] = reason;
  // The URI of an MCP resource is as free as an argument, and may hold what an argument may.
  if (resource.type !== 'resource_uri') details['resource'] = resource.id;
  details['resourceType'] = resource.type;
  if (typeof context?.['scope'] === 'string') details['scope'] = context['scope'];
  if (typeof server === 'string') details['server'] = server;
  details['tookMicros'] = tookMicros;
  return {
    actors,
    ...(caller !== undefined && { client: caller }),
    ...(id !== undefined && { decisionId: id }),
    details,
    occurredAtMs,
    outcome: answer.decision ? 'allowed' : 'refused',
    person: subject.id,
    ...(traceId !== undefined && { traceId }),
    type: 'decision',
  };
}
