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

/** The audit record of one decision: who asked for whom about what, and which policies said what. No arguments. */
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
  return {
    type: 'decision',
    outcome: answer.decision ? 'allowed' : 'refused',
    occurredAtMs,
    person: subject.id,
    ...(caller !== undefined && { client: caller }),
    actors,
    ...(id !== undefined && { decisionId: id }),
    ...(traceId !== undefined && { traceId }),
    details: {
      action: action.name,
      resourceType: resource.type,
      // The URI of an MCP resource is as free as an argument, and may hold what an argument may.
      ...(resource.type !== 'resource_uri' && { resource: resource.id }),
      ...(typeof server === 'string' && { server }),
      ...(typeof context?.['scope'] === 'string' && { scope: context['scope'] }),
      ...(reason !== undefined && { reason }),
      policies: policies ?? [],
      errors: errors ?? [],
      ...(policy_version !== undefined && { policyVersion: policy_version }),
      tookMicros,
    },
  };
}
