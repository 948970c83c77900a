import { checkBinding } from './check-binding.js';
import { checkClient } from './check-client.js';
import { checkPresenter } from './check-presenter.js';
import type { ExchangeTrace } from './exchange-trace.js';
import { type ParsedParameters, parseExchangeParameters } from './parse-exchange-parameters.js';
import type {
  ExchangeCeiling,
  ExchangeDependencies,
  ExchangeRequest,
  SubjectToken,
  TokenClaims,
} from './ports.js';
import { relayedKey } from './relayed-key.js';
import { verifyActorToken } from './verify-actor-token.js';
import { verifySubjectToken } from './verify-subject-token.js';

/** What was presented, by whom, and found good: what every kind of token is decided from. */
export interface Presented extends Pick<ExchangeRequest, 'nowSeconds' | 'proof'> {
  clientId: string;
  ceiling: ExchangeCeiling;
  parameters: ParsedParameters;
  subject: SubjectToken;
  actor: TokenClaims | undefined;
}

/**
 * The phases that every exchange begins with, whatever it is for, so that no kind can skip one.
 *
 * @param trace is told of each step as it is taken
 * @throws ExchangeRefusal
 * @see RFC 8693 §2.1
 */
export async function verifyPresented(
  request: ExchangeRequest,
  dependencies: Pick<
    ExchangeDependencies,
    | 'issuer'
    | 'findTarget'
    | 'verifyAccessToken'
    | 'verifyIdToken'
    | 'verifyExternalToken'
    | 'transactionTokens'
  >,
  trace: ExchangeTrace,
): Promise<Presented> {
  const { client, proof, parameters: form, nowSeconds } = request;
  checkClient(client);
  const parameters = parseExchangeParameters(form);
  trace.requestedScope = parameters.scope;

  const { subjectToken, subjectTokenType, actorToken } = parameters;
  const subject = await verifySubjectToken(subjectToken, subjectTokenType, client, dependencies);
  trace.subject = subject;
  checkBinding(subject.claims, 'subject', proof, relayedKey(subject, request, dependencies));
  const actor =
    actorToken === undefined ? undefined : await verifyActorToken(actorToken, client, dependencies);
  trace.actor = actor;
  if (actor) checkBinding(actor, 'actor', proof);
  checkPresenter(subject, client, dependencies);

  const { clientId, ceiling } = client;
  return { clientId, ceiling, parameters, proof, nowSeconds, subject, actor };
}
