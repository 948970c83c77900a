import type { AuditRecord } from '@behalf/audit';
import { actorChain } from '@behalf/oauth';
import { decideExchange } from './decide-exchange.js';
import { ExchangeRefusal, refusalToOAuthError } from './exchange-refusal.js';
import type { ExchangeTrace } from './exchange-trace.js';
import type { ExchangeDependencies, ExchangeRequest, ExchangeResponse } from './ports.js';

/**
 * Exchanges a token of a person for one that the client uses on their behalf.
 *
 * The client must already be authenticated, and the proofs of its keys checked. Allowed or refused, the exchange is in
 * the audit log before the answer leaves; a token that cannot be recorded is not issued.
 *
 * @throws OAuthError `invalid_request`, `invalid_target`, `invalid_scope`, `invalid_authorization_details`,
 *   `unauthorized_client`, `interaction_required`, `temporarily_unavailable`
 * @see RFC 8693 §2
 */
export async function exchangeToken(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
): Promise<ExchangeResponse> {
  const trace: ExchangeTrace = {};
  try {
    const { claims, typ, response } = await decideExchange(request, dependencies, trace);
    const token = await dependencies.signer.sign({ ...claims }, { typ });
    await dependencies.audit.append(exchangeRecord(request, trace)).catch((cause: unknown) => {
      throw new ExchangeRefusal({ kind: 'not_recordable', cause });
    });
    return { access_token: token, ...response };
  } catch (error) {
    if (!(error instanceof ExchangeRefusal)) throw error;
    // Refused either way: a full disk must not turn the reason into another one.
    await dependencies.audit.append(exchangeRecord(request, trace, error)).catch(() => {});
    throw refusalToOAuthError(error.reason);
  }
}

/** What is written down of an exchange: ids and reasons, never a token. */
export function exchangeRecord(
  request: ExchangeRequest,
  { subject, profile, act, audiences, decisionId, delegations = [] }: ExchangeTrace,
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
    actors: actorChain(act).map((actor) => actor.sub),
    decisionId,
    traceId: request.traceId,
    details: {
      ...(profile !== undefined && { profile }),
      ...(audience !== undefined && { audience }),
      ...(txn !== undefined && { txn }),
      ...(delegations.length > 0 && { delegations: delegations.map(({ id }) => id) }),
      ...(refusal && { reason: refusal.reason.kind }),
    },
  };
}
