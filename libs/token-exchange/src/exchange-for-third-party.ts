import type { ElicitationOffer, EvaluationDecision, ThirdPartyTokenRequest } from '@behalf/contracts';
import { type ActClaim, OAuthError, type ScopeSet, actorChain, tokenTypes } from '@behalf/oauth';
import { askPolicy } from './ask-policy.js';
import { buildActChain } from './build-act-chain.js';
import { coversAudience } from './covers-audience.js';
import { ExchangeRefusal, refusalToOAuthError } from './exchange-refusal.js';
import { exchangeRecord } from './exchange-record.js';
import type { ExchangeTrace } from './exchange-trace.js';
import { narrowThirdPartyScope } from './narrow-third-party-scope.js';
import { parseElicitedRequest } from './parse-elicited-request.js';
import type { ExchangeRequest } from './ports.js';
import type {
  ThirdPartyAnswer,
  ThirdPartyDependencies,
  ThirdPartyTarget,
  ThirdPartyTokenResponse,
} from './third-party-ports.js';
import { type Presented, verifyPresented } from './verify-presented.js';

/**
 * Exchanges a person's token for a third party's, which the person has to have lent to exactly this chain. It begins as
 * every exchange does and asks the policy as every exchange does; only then the elicitation service is asked, which
 * has the person's word. Nothing here is ever answered from a cache: each time there is a decision, and what was
 * decided is good for one opening.
 *
 * Allowed or refused, it is in the audit log before the answer leaves.
 *
 * @throws OAuthError as `exchangeToken`; `interaction_required` with `interaction_uri`, `request_state`, `expires_in`,
 *   `interval` and `elicitation_uri`; `access_denied` when the person declined
 * @see RFC 8693 §2
 */
export async function exchangeForThirdParty(
  request: ExchangeRequest,
  dependencies: ThirdPartyDependencies,
): Promise<ThirdPartyTokenResponse> {
  const trace: ExchangeTrace = {};
  const record = (refusal?: ExchangeRefusal) => exchangeRecord(request, trace, refusal);
  try {
    const answer = await decide(request, dependencies, trace);
    await dependencies.audit.append(record()).catch((cause: unknown) => {
      throw new ExchangeRefusal({ kind: 'not_recordable', cause });
    });
    return {
      access_token: answer.accessToken,
      issued_token_type: tokenTypes.accessToken,
      token_type: answer.tokenType,
      ...(answer.expiresInSeconds !== undefined && { expires_in: answer.expiresInSeconds }),
      scope: answer.scopes.join(' '),
    };
  } catch (error) {
    if (!(error instanceof ExchangeRefusal)) throw error;
    // Refused either way: a full disk must not turn the reason into another one.
    await dependencies.audit.append(record(error)).catch(() => {});
    throw refusalToOAuthError(error.reason);
  }
}

async function decide(
  request: ExchangeRequest,
  dependencies: ThirdPartyDependencies,
  trace: ExchangeTrace,
): Promise<Extract<ThirdPartyAnswer, { outcome: 'token' }>> {
  const presented = await verifyPresented(request, dependencies, trace);
  const { clientId, ceiling, subject, parameters } = presented;
  if (parameters.requestedTokenType !== tokenTypes.accessToken)
    throw new ExchangeRefusal({ kind: 'token_type_unsupported', parameter: 'requested_token_type' });
  // It would come out as a token that needs no key; where keys are wanted, calls are forwarded instead.
  if (subject.claims.cnf !== undefined) throw new ExchangeRefusal({ kind: 'third_party_unbound' });
  // Who somebody is, or what a transaction is about, does not say what may be done for them elsewhere.
  if (subject.kind !== 'access_token') throw new ExchangeRefusal({ kind: 'third_party_subject' });
  const act = (trace.act = buildActChain(clientId, subject.claims.act, ceiling.maxChainDepth));
  const target = selectThirdParty(presented, dependencies);
  trace.audiences = [target.resource];
  const scope = narrowThirdPartyScope(parameters.scope, ceiling.scopes, target);
  const elicited = parseElicitedRequest(request.parameters);

  const ask = async (waitSeconds: number): Promise<ThirdPartyAnswer> => {
    const decision = await askForDecision(presented, { act, target, scope }, dependencies, trace);
    const question = await thirdPartyQuestion(presented, { act, target, scope }, decision, dependencies);
    return dependencies
      .requestThirdPartyToken({ ...question, ...elicited, waitSeconds })
      .catch((error: unknown) => {
        throw error instanceof OAuthError
          ? new ExchangeRefusal({ kind: 'third_party_refused', error })
          : new ExchangeRefusal({ kind: 'third_party_unavailable', cause: error });
      });
  };
  let answer = await ask(elicited.waitSeconds);
  // The person finished while this waited. The decision is old by now: what they agreed to is input to a new one.
  if (answer.outcome === 'interaction_required' && answer.elicitation.status === 'completed')
    answer = await ask(0);
  if (answer.outcome === 'token') return answer;
  throw new ExchangeRefusal({
    kind: 'third_party_refused',
    error: interactionRequired(answer.elicitation, request.nowSeconds),
  });
}

function selectThirdParty(
  { parameters, ceiling }: Presented,
  { findThirdParty }: Pick<ThirdPartyDependencies, 'findThirdParty'>,
): ThirdPartyTarget {
  const [identifier, ...others] = parameters.targets;
  if (identifier === undefined) throw new ExchangeRefusal({ kind: 'target_missing' });
  if (others.length > 0) throw new ExchangeRefusal({ kind: 'several_targets' });
  const target = findThirdParty(identifier);
  if (!target) throw new ExchangeRefusal({ kind: 'target_unknown' });
  if (!coversAudience(ceiling.audiences, target.resource))
    throw new ExchangeRefusal({ kind: 'target_beyond_ceiling' });
  return target;
}

interface Wanted {
  act: ActClaim;
  target: ThirdPartyTarget;
  scope: ScopeSet;
}

async function askForDecision(
  { clientId, subject: { claims: subject } }: Presented,
  { act, target, scope }: Wanted,
  dependencies: ThirdPartyDependencies,
  trace: ExchangeTrace,
): Promise<EvaluationDecision | undefined> {
  let decision: EvaluationDecision | undefined;
  await askPolicy(
    {
      action: 'exchange',
      subject,
      act,
      resource: { type: 'audience', id: target.resource, properties: { provider: target.provider } },
      scope,
      authorizationDetails: [],
      clientId,
    },
    { decide: async (evaluation) => (decision = await dependencies.decide(evaluation)) },
    trace,
  );
  return decision;
}

async function thirdPartyQuestion(
  { subject: { claims: subject } }: Presented,
  { act, target, scope }: Wanted,
  decision: EvaluationDecision | undefined,
  { describeChain }: Pick<ThirdPartyDependencies, 'describeChain'>,
): Promise<ThirdPartyTokenRequest> {
  const actors = actorChain(act).map((actor) => actor.sub);
  const { id: decisionId, decision_grant: decisionGrant } = decision?.context ?? {};
  return {
    person: subject.sub,
    actors,
    ...(await describeChain(subject, actors)),
    resource: target.resource,
    scopes: [...scope],
    decisionId,
    ...(typeof decisionGrant === 'string' && { decisionGrant }),
    sid: subject.sid,
    grantId: subject.grant_id,
    txn: subject.txn ?? subject.jti,
    waitSeconds: 0,
  };
}

function interactionRequired(offer: ElicitationOffer, nowSeconds: number): OAuthError {
  return new OAuthError('interaction_required', 'the person has to agree to this first', {
    parameters: {
      interaction_uri: offer.url,
      interaction_message: offer.message,
      expires_in: Math.max(0, Math.floor(offer.expiresAtMs / 1000) - nowSeconds),
      interval: offer.pollIntervalSeconds,
      elicitation_id: offer.id,
      elicitation_uri: offer.pollUrl,
      request_state: offer.requestState,
    },
  });
}
