import { tokenTypes } from '@behalf/oauth';
import { decideAccessToken } from './decide-access-token.js';
import { decideTransactionToken } from './decide-transaction-token.js';
import type { ExchangeTrace } from './exchange-trace.js';
import type { IssuedClaims } from './issued-token-claims.js';
import type {
  ExchangeDependencies,
  ExchangeRequest,
  ExchangeResponse,
  TransactionTokenClaims,
} from './ports.js';
import { verifyPresented } from './verify-presented.js';

/** A token that may be signed, and the answer that goes with it. */
export interface DecidedExchange {
  claims: IssuedClaims | TransactionTokenClaims;
  typ: 'at+jwt' | 'txntoken+jwt';
  response: Omit<ExchangeResponse, 'access_token'>;
}

/**
 * Decides what an exchange comes to. Signs nothing and records nothing.
 *
 * @param trace is told of each step as it is taken
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1
 */
export async function decideExchange(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
  trace: ExchangeTrace,
): Promise<DecidedExchange> {
  const presented = await verifyPresented(request, dependencies, trace);
  return presented.parameters.requestedTokenType === tokenTypes.transactionToken
    ? decideTransactionToken(presented, dependencies, trace)
    : decideAccessToken(presented, dependencies, trace);
}
