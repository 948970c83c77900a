import { tokenTypes } from '@behalf/oauth';
import { checkBinding } from './check-binding.js';
import { checkClient } from './check-client.js';
import { checkPresenter } from './check-presenter.js';
import { decideAccessToken } from './decide-access-token.js';
import { decideTransactionToken } from './decide-transaction-token.js';
import type { ExchangeTrace } from './exchange-trace.js';
import { type ParsedParameters, parseExchangeParameters } from './parse-exchange-parameters.js';
import type {
  ExchangeCeiling,
  ExchangeDependencies,
  ExchangeRequest,
  ExchangeResponse,
  SubjectToken,
  TokenClaims,
} from './ports.js';
import { verifyActorToken } from './verify-actor-token.js';
import { verifySubjectToken } from './verify-subject-token.js';

/** What was presented, by whom, and found good: what every kind of issued token is decided from. */
export interface Presented extends Pick<ExchangeRequest, 'nowSeconds' | 'proof'> {
  clientId: string;
  ceiling: ExchangeCeiling;
  parameters: ParsedParameters;
  subject: SubjectToken;
  actor: TokenClaims | undefined;
}

/** A token that may be signed, and the answer that goes with it. */
export interface DecidedExchange {
  claims: object;
  typ: 'at+jwt' | 'txntoken+jwt';
  response: Omit<ExchangeResponse, 'access_token'>;
}

/**
 * Decides what an exchange comes to. The phases that every kind of token shares are here, so that no kind can skip one.
 * Signs nothing and records nothing.
 *
 * @param trace is told of each step as it is taken
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1
 */
export async function decideExchange(
  { client, proof, parameters: form, nowSeconds }: ExchangeRequest,
  dependencies: ExchangeDependencies,
  trace: ExchangeTrace,
): Promise<DecidedExchange> {
  checkClient(client);
  const parameters = parseExchangeParameters(form);
  trace.requestedScope = parameters.scope;

  const { subjectToken, subjectTokenType, actorToken, requestedTokenType } = parameters;
  const subject = await verifySubjectToken(subjectToken, subjectTokenType, client, dependencies);
  trace.subject = subject;
  checkBinding(subject.claims, 'subject', proof);
  const actor =
    actorToken === undefined ? undefined : await verifyActorToken(actorToken, client, dependencies);
  if (actor) checkBinding(actor, 'actor', proof);
  checkPresenter(subject, client, dependencies);

  const { clientId, ceiling } = client;
  const presented: Presented = { clientId, ceiling, parameters, proof, nowSeconds, subject, actor };
  return requestedTokenType === tokenTypes.transactionToken
    ? decideTransactionToken(presented, dependencies, trace)
    : decideAccessToken(presented, dependencies, trace);
}
