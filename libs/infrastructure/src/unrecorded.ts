import type { AuditRecord } from '@behalf/audit';
import type { BehalfConfig } from '@behalf/config';
import type { Logger } from '@behalf/service-kit';
import { attributes } from '@behalf/telemetry';
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

/** What the audit log of a service does about records that it cannot write. */
export function unrecordedBy(service: string, onFailure: FailureModes, logger: Pick<Logger, 'error'>) {
  const by = { [attributes.serviceName]: service };
  const unrecorded = metrics.getMeter('behalf').createCounter('behalf.audit.unrecorded', {
    description: 'What went on without an audit record',
  });
  // From nothing on, so that the first one is seen as a step.
  for (const type of Object.keys(kinds)) unrecorded.add(0, { ...by, type });
  return {
    mayGoUnrecorded: ({ type }: AuditRecord): boolean => onFailure[kinds[type] ?? 'other'] === 'continue',
    onUnrecorded: ({ type, outcome, decisionId, traceId }: AuditRecord, err: unknown): void => {
      unrecorded.add(1, { ...by, type });
      const record = { type, outcome, decision_id: decisionId, trace_id: traceId };
      logger.error({ err, record }, 'went on without an audit record');
    },
  };
}
