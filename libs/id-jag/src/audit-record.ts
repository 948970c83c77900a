import type { AuditRecord } from '@behalf/audit';
import type { IdJagRefusal } from './id-jag-refusal.js';

/** What is known so far: a refusal half-way is recorded with all of it. */
export interface Progress {
  issuer?: string;
  person?: string;
  audience?: string;
  decisionId?: string | undefined;
}

/** What the audit log is told. Assertions and tokens stay out of it. */
export function auditRecord(
  type: 'id-jag' | 'id-jag-redemption' | 'exchange-explanation',
  request: { clientId: string; nowSeconds: number; traceId?: string | undefined },
  { issuer, person, audience, decisionId }: Progress,
  refusal?: IdJagRefusal,
): AuditRecord {
  const reason = refusal?.reason;
  return {
    type,
    outcome: reason ? 'refused' : 'allowed',
    occurredAtMs: request.nowSeconds * 1000,
    client: request.clientId,
    person,
    decisionId: reason?.kind === 'policy_denied' ? reason.decisionId : decisionId,
    traceId: request.traceId,
    details: {
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
      ...(reason && { reason: reason.kind }),
    },
  };
}
