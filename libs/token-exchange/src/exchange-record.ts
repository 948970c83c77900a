import type { AuditRecord } from '@behalf/audit';
import { actorNames } from '@behalf/oauth';
import type { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeTrace } from './exchange-trace.js';
import type { ExchangeRequest, ExchangeSource } from './ports.js';

/** What is written down of an exchange: ids and reasons, never a token. */
export function exchangeRecord(
  request: ExchangeRequest,
  { subject, profile, act, audiences, decisionId, scope, delegations = [] }: ExchangeTrace,
  refusal?: ExchangeRefusal,
): AuditRecord {
  const { sub, txn } = subject?.claims ?? {};
  const audience = audiences?.join(' ');
  return {
    type: 'exchange',
    outcome: refusal ? 'refused' : 'allowed',
    occurredAtMs: request.nowSeconds * 1000,
    client: request.client.clientId,
    person: sub,
    actors: actorNames(act),
    decisionId,
    traceId: request.traceId,
    details: {
      ...(profile !== undefined && { profile }),
      ...(audience !== undefined && { audience }),
      ...(scope !== undefined && { scope }),
      ...(txn !== undefined && { txn }),
      ...(delegations.length > 0 && { delegations: delegations.map(({ grant }) => grant.id) }),
      ...(refusal && { reason: refusal.reason.kind }),
    },
  };
}

/** The record of a request that was answered with what another one came to. */
export function recordAgain(
  { details, ...record }: AuditRecord,
  request: ExchangeRequest,
  source: ExchangeSource,
): AuditRecord {
  return {
    ...record,
    occurredAtMs: request.nowSeconds * 1000,
    traceId: request.traceId,
    details: { ...details, ...(source !== 'minted' && { cached: source }) },
  };
}
