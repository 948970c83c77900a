import type { RevocableClaims } from '@behalf/revocation';
import { decideExchange } from './decide-exchange.js';
import { ExchangeRefusal } from './exchange-refusal.js';
import { exchangeRecord } from './exchange-record.js';
import { type ExchangeTrace, policyVersionOf } from './exchange-trace.js';
import type { ExchangeDependencies, ExchangeOutcome, ExchangeRequest } from './ports.js';

/** Decides on an exchange and signs what it comes to. A refusal is an outcome, too, with its record. */
export async function mintToken(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
): Promise<ExchangeOutcome> {
  const trace: ExchangeTrace = {};
  try {
    const { claims, typ, response } = await decideExchange(request, dependencies, trace);
    const token = await dependencies.signer.sign({ ...claims }, { typ });
    const { expires_in: lifetimeSeconds, ...rest } = response;
    trace.scope = claims.scope;
    return {
      token,
      response: rest,
      issuedAtSeconds: request.nowSeconds,
      expiresAtSeconds: request.nowSeconds + lifetimeSeconds,
      ties: [claims, trace.subject?.claims, trace.actor].flatMap((input) => (input ? [tieOf(input)] : [])),
      delegations: (trace.delegations ?? []).map(({ grant, need: { nowSeconds: _now, ...need } }) => ({
        grantId: grant.id,
        need,
      })),
      policyVersion: policyVersionOf(trace),
      record: exchangeRecord(request, trace),
    };
  } catch (error) {
    if (!(error instanceof ExchangeRefusal)) throw error;
    error.record = exchangeRecord(request, trace, error);
    return error;
  }
}

/** Of claims, those by which a token can be revoked. */
export function tieOf(claims: RevocableClaims): RevocableClaims {
  const { jti, sub, client_id, grant_id, sid, txn, lineage, delegations, act, iat } = claims;
  return { jti, sub, client_id, grant_id, sid, txn, lineage, delegations, act, iat };
}
