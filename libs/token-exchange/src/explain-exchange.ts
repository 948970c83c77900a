import { actorNames } from '@behalf/oauth';
import type { ExchangeProfile } from './choose-profile.js';
import { type DecidedExchange, decideExchange } from './decide-exchange.js';
import { ExchangeRefusal, refusalToOAuthError } from './exchange-refusal.js';
import { askForDecision, decideOnThirdParty } from './exchange-for-third-party.js';
import { exchangeRecord } from './exchange-record.js';
import type { ExchangeTrace } from './exchange-trace.js';
import { explainScope, type ScopeExplanation } from './explain-scope.js';
import type { ExchangeDependencies, ExchangeRequest, PendingDelegation } from './ports.js';
import { refusalRules } from './refusal-rules.js';

/** What an exchange would come to, and why. */
export interface ExchangeExplanation {
  /** `person_decides`: everything here permits it, and whether the person lends their account is not asked. */
  outcome: 'minted' | 'refused' | 'person_decides';
  client: string;
  person?: string;
  profile?: ExchangeProfile;
  /** As they would be in the token, the current one first. */
  actors: string[];
  audiences: string[];
  decisionId?: string;
  scope?: ScopeExplanation;
  /** What would be signed, but for its id, and the answer that would go with it. */
  token?: { typ: string; claims: Record<string, unknown>; tokenType: string; expiresIn: number };
  refusal?: { reason: string; rule: string; see: string; error: string; description: string };
}

/**
 * Says what an exchange would come to. Every check is made as in an exchange, policy is asked, nothing is signed, and no
 * person is asked for a delegation. That it was asked is recorded.
 *
 * Does not say what a verifier found wrong with a token: who asks about a token learns no more of it than its holder.
 *
 * @throws OAuthError `temporarily_unavailable` when it cannot be recorded
 */
export async function explainExchange(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
): Promise<ExchangeExplanation> {
  return explain(request, dependencies, async (trace) => ({
    outcome: 'minted',
    token: describeToken(await decideExchange(request, askingNobody(dependencies), trace)),
  }));
}

/**
 * The same of an exchange for a third party. Its tokens are no business of ours, and whether the person lends them is not
 * asked: that would be a question to the person.
 *
 * @throws OAuthError `temporarily_unavailable` when it cannot be recorded
 */
export async function explainThirdPartyExchange(
  request: ExchangeRequest,
  dependencies: Parameters<typeof decideOnThirdParty>[1],
): Promise<ExchangeExplanation> {
  return explain(request, dependencies, async (trace) => {
    const { presented, wanted } = await decideOnThirdParty(request, dependencies, trace);
    await askForDecision(presented, wanted, dependencies, trace);
    return { outcome: 'person_decides' };
  });
}

async function explain(
  request: ExchangeRequest,
  { audit }: Pick<ExchangeDependencies, 'audit'>,
  decide: (trace: ExchangeTrace) => Promise<Pick<ExchangeExplanation, 'outcome' | 'token'>>,
): Promise<ExchangeExplanation> {
  const trace: ExchangeTrace = {};
  const outcome = await decide(trace).catch((error: unknown) => {
    if (error instanceof ExchangeRefusal) return error;
    throw error;
  });
  const refusal = outcome instanceof ExchangeRefusal ? outcome : undefined;
  const record = { ...exchangeRecord(request, trace, refusal), type: 'exchange-explanation' };
  await audit.append(record).catch((cause: unknown) => {
    throw refusalToOAuthError({ kind: 'not_recordable', cause });
  });
  const { subject, profile, act, audiences = [], decisionId } = trace;
  const scope = explainScope(trace);
  return {
    client: request.client.clientId,
    ...(subject && { person: subject.claims.sub }),
    ...(profile && { profile }),
    actors: actorNames(act),
    audiences,
    ...(decisionId !== undefined && { decisionId }),
    ...(scope && { scope }),
    ...(outcome instanceof ExchangeRefusal
      ? { outcome: 'refused', refusal: describeRefusal(outcome) }
      : outcome),
  };
}

const nobodyAsked: PendingDelegation = {
  consentUrl: '',
  requestId: '',
  expiresInSeconds: 0,
  intervalSeconds: 0,
};

function askingNobody(dependencies: ExchangeDependencies): ExchangeDependencies {
  return {
    ...dependencies,
    ...(dependencies.requestDelegation && { requestDelegation: async () => nobodyAsked }),
  };
}

function describeToken({ claims, typ, response }: DecidedExchange): ExchangeExplanation['token'] {
  const { jti: _never, ...rest } = claims;
  return { typ, claims: rest, tokenType: response.token_type, expiresIn: response.expires_in };
}

function describeRefusal({ reason }: ExchangeRefusal): ExchangeExplanation['refusal'] {
  const { error, error_description: description } = refusalToOAuthError(reason).toJSON();
  return { reason: reason.kind, ...refusalRules[reason.kind], error, description };
}
