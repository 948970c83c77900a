import type { ElicitationOffer, EvaluationDecision, ThirdPartyTokenRequest } from '@behalf/contracts';
import { type ActClaim, OAuthError, type ScopeSet, actorNames, tokenTypes } from '@behalf/oauth';
import { askPolicy } from './ask-policy.js';
import { buildActChain } from './build-act-chain.js';
import { coversAudience } from './covers-audience.js';
import { ExchangeRefusal, refusalToOAuthError } from './exchange-refusal.js';
import { exchangeRecord, recordAgain } from './exchange-record.js';
import { type ExchangeTrace, policyVersionOf } from './exchange-trace.js';
import { isStillGood } from './is-still-good.js';
import { tieOf } from './mint-token.js';
import { narrowThirdPartyScope, thirdPartyScopeBounds } from './narrow-third-party-scope.js';
import {
  type ElicitedParameters,
  elicitedParameterNames,
  parseElicitedRequest,
} from './parse-elicited-request.js';
import type { ExchangeRequest, TokenClaims } from './ports.js';
import type {
  LentToken,
  ThirdPartyAnswer,
  ThirdPartyDependencies,
  ThirdPartyTarget,
  ThirdPartyTokenResponse,
} from './third-party-ports.js';
import { type Presented, verifyPresented } from './verify-presented.js';

/** The most a lent token is given out again for, so that what was missed is not missed for long. */
const keptSeconds = 60;
/** What must be left of a token that is given out again. */
const marginSeconds = 30;

/**
 * Exchanges a person's token for a third party's, which the person has to have lent to exactly this chain. It begins as
 * every exchange does and asks the policy as every exchange does; only then the elicitation service is asked, which
 * has the person's word. A decision is good for one opening; the token that came of it may be kept for a minute, for the
 * same client with the same token and the same wish.
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
  try {
    const { lent, isKept } = await throughCache(request, dependencies, trace);
    const record = recordAgain(lent.record, request, isKept ? 'process' : 'minted');
    await dependencies.audit.append(record).catch((cause: unknown) => {
      throw new ExchangeRefusal({ kind: 'not_recordable', cause });
    });
    return {
      access_token: lent.accessToken,
      issued_token_type: tokenTypes.accessToken,
      token_type: lent.tokenType,
      ...(lent.expiresAtSeconds !== undefined && { expires_in: lent.expiresAtSeconds - request.nowSeconds }),
      scope: lent.scopes.join(' '),
    };
  } catch (error) {
    if (!(error instanceof ExchangeRefusal)) throw error;
    // Refused either way: a full disk must not turn the reason into another one.
    await dependencies.audit.append(exchangeRecord(request, trace, error)).catch(() => {});
    throw refusalToOAuthError(error.reason);
  }
}

async function throughCache(
  request: ExchangeRequest,
  dependencies: ThirdPartyDependencies,
  trace: ExchangeTrace,
): Promise<{ lent: LentToken; isKept: boolean }> {
  const { lentTokens } = dependencies;
  const elicited = parseElicitedRequest(request.parameters);
  const lend = (): Promise<LentToken> => lendToken(request, elicited, dependencies, trace);
  // A state has to be checked, whatever is kept: it may be another's.
  if (!lentTokens || elicited.requestState !== undefined) return { lent: await lend(), isKept: false };
  // Which request needs the token matters to the question that a person is asked, and to no token.
  const parameters = Object.fromEntries(
    Object.entries(request.parameters).filter(([name]) => !elicitedParameterNames.includes(name)),
  );
  return lentTokens.through({ ...request, parameters }, lend, ({ keptUntilSeconds, ties }) =>
    isStillGood(
      { expiresAtSeconds: keptUntilSeconds, ties, delegations: [] },
      request.nowSeconds,
      dependencies,
    ),
  );
}

/**
 * What is wanted of which third party, for whom and by whom, as far as that is ours to allow. Policy has not been asked.
 *
 * @throws ExchangeRefusal
 */
export async function decideOnThirdParty(
  request: ExchangeRequest,
  dependencies: Omit<ThirdPartyDependencies, 'requestThirdPartyToken' | 'describeChain'>,
  trace: ExchangeTrace,
): Promise<{ presented: Presented; wanted: Wanted }> {
  const presented = await verifyPresented(request, dependencies, trace);
  const { subject, parameters, clientId, ceiling } = presented;
  if (parameters.requestedTokenType !== tokenTypes.accessToken)
    throw new ExchangeRefusal({ kind: 'token_type_unsupported', parameter: 'requested_token_type' });
  // It would come out as a token that needs no key; where keys are wanted, calls are forwarded instead.
  if (subject.claims.cnf !== undefined) throw new ExchangeRefusal({ kind: 'third_party_unbound' });
  // Who somebody is, or what a transaction is about, does not say what may be done for them elsewhere.
  if (subject.kind !== 'access_token') throw new ExchangeRefusal({ kind: 'third_party_subject' });
  const act = (trace.act = buildActChain(clientId, subject.claims.act, ceiling.maxChainDepth));
  const target = selectThirdParty(presented, dependencies);
  trace.audiences = [target.resource];
  trace.scopeBounds = thirdPartyScopeBounds(parameters.scope, ceiling.scopes, target);
  const scope = narrowThirdPartyScope(parameters.scope, trace.scopeBounds, target);
  return { presented, wanted: { act, target, scope } };
}

async function lendToken(
  request: ExchangeRequest,
  elicited: ElicitedParameters,
  dependencies: ThirdPartyDependencies,
  trace: ExchangeTrace,
): Promise<LentToken> {
  const { presented, wanted } = await decideOnThirdParty(request, dependencies, trace);
  const { target, act } = wanted;
  const { subject } = presented;

  const ask = async (waitSeconds: number): Promise<ThirdPartyAnswer> => {
    const decision = await askForDecision(presented, wanted, dependencies, trace);
    const question = await thirdPartyQuestion(presented, wanted, decision, dependencies);
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
  if (answer.outcome === 'token')
    return lentToken(answer, { request, target, trace, act, subject: subject.claims });
  throw new ExchangeRefusal({
    kind: 'third_party_refused',
    error: interactionRequired(answer.elicitation, request.nowSeconds),
  });
}

function lentToken(
  { accessToken, tokenType, scopes, expiresInSeconds }: Extract<ThirdPartyAnswer, { outcome: 'token' }>,
  {
    request,
    target,
    trace,
    act,
    subject,
  }: {
    request: ExchangeRequest;
    target: ThirdPartyTarget;
    trace: ExchangeTrace;
    act: ActClaim;
    subject: TokenClaims;
  },
): LentToken {
  const { nowSeconds } = request;
  const expiresAtSeconds = expiresInSeconds === undefined ? undefined : nowSeconds + expiresInSeconds;
  return {
    accessToken,
    tokenType,
    scopes,
    expiresAtSeconds,
    keptUntilSeconds: Math.min(
      nowSeconds + keptSeconds,
      subject.exp,
      trace.actor?.exp ?? Infinity,
      (expiresAtSeconds ?? Infinity) - marginSeconds,
    ),
    person: subject.sub,
    provider: target.provider,
    // The chain as it is lent to: whoever is stopped in it is stopped here, too.
    ties: [{ ...subject, act, iat: nowSeconds }, subject, trace.actor].flatMap((claims) =>
      claims ? [tieOf(claims)] : [],
    ),
    policyVersion: policyVersionOf(trace),
    record: exchangeRecord(request, trace),
  };
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

/** @throws ExchangeRefusal when policy denies */
export async function askForDecision(
  { clientId, subject: { claims: subject } }: Presented,
  { act, target, scope }: Wanted,
  dependencies: Pick<ThirdPartyDependencies, 'decide'>,
  trace: ExchangeTrace,
): Promise<EvaluationDecision> {
  return askPolicy(
    {
      action: 'exchange',
      subject,
      act,
      resource: { type: 'audience', id: target.resource, properties: { provider: target.provider } },
      scope,
      authorizationDetails: [],
      clientId,
    },
    dependencies,
    trace,
  );
}

async function thirdPartyQuestion(
  { subject: { claims: subject } }: Presented,
  { act, target, scope }: Wanted,
  decision: EvaluationDecision,
  { describeChain }: Pick<ThirdPartyDependencies, 'describeChain'>,
): Promise<ThirdPartyTokenRequest> {
  const actors = actorNames(act);
  const { id: decisionId, decision_grant: decisionGrant } = decision.context ?? {};
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
