import type { AuditRecord } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type { Logger } from '@behalf/service-kit';
import { metrics } from '@opentelemetry/api';

type FailureModes = BehalfConfig['audit']['onFailure'];

/** What is not named here is `other`. */
const kinds: Readonly<Record<string, Exclude<keyof FailureModes, 'other'>>> = {
  exchange: 'exchange',
  'exchange-explanation': 'exchange',
  'id-jag': 'exchange',
  'id-jag-redemption': 'exchange',
  'client-credentials': 'exchange',
  'vault-use': 'vault',
  'third-party-token': 'vault',
  decision: 'decision',
};

/** What the audit log does about records that it cannot write. */
export function unrecordedBy(onFailure: FailureModes, logger: Pick<Logger, 'error'>) {
  const unrecorded = metrics.getMeter('behalf').createCounter('behalf.audit.unrecorded', {
    description: 'What went on without an audit record',
  });
  return {
    mayGoUnrecorded: ({ type }: AuditRecord): boolean => onFailure[kinds[type] ?? 'other'] === 'continue',
    onUnrecorded: ({ type, outcome, decisionId, traceId }: AuditRecord, err: unknown): void => {
      unrecorded.add(1, { type });
      const record = { type, outcome, decision_id: decisionId, trace_id: traceId };
      logger.error({ err, record }, 'went on without an audit record');
    },
  };
}
