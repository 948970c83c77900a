import type { Evaluation, EvaluationDecision } from '@behalf/contracts';
import { type ActClaim, type AuthorizationDetail, type ScopeSet, actorChain } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeTrace } from './exchange-trace.js';
import type { ExchangeDependencies, TokenClaims } from './ports.js';

/** What policy is asked: may it be done, by this chain for this person, with this scope? */
export interface PolicyQuestion {
  /** `exchange`, `impersonate`; `designate` for naming the next actor. */
  action: 'exchange' | 'impersonate' | 'designate';
  subject: TokenClaims;
  /** The chain as it will be; with `impersonate` as it would be. */
  act: ActClaim;
  resource: Evaluation['resource'];
  scope: ScopeSet;
  authorizationDetails: readonly AuthorizationDetail[];
  clientId: string;
}

/**
 * Asks policy, and notes which decision it was by which policies. No answer is a refusal.
 *
 * @throws ExchangeRefusal
 */
export async function askPolicy(
  question: PolicyQuestion,
  { decide }: Pick<ExchangeDependencies, 'decide'>,
  trace: ExchangeTrace,
): Promise<EvaluationDecision> {
  const { action, subject, act, resource, scope, authorizationDetails, clientId } = question;
  const context: NonNullable<Evaluation['context']> = {
    // With its issuer, where a chain has one: a namesake elsewhere is somebody else.
    actors: actorChain(act).map(({ sub, iss }) => ({ sub, ...(iss !== undefined && { iss }) })),
    client_id: clientId,
    scope: scope.toString(),
    aud: subject.aud,
  };
  // They came out of JSON, which their type does not say.
  if (authorizationDetails.length > 0) context['authorization_details'] = [...authorizationDetails] as never;
  const evaluation: Evaluation = {
    subject: { type: 'user', id: subject.sub, properties: { groups: subject.groups ?? [] } },
    action: { name: action },
    resource,
    context,
  };
  const answer = await decide(evaluation).catch((cause: unknown) => {
    throw new ExchangeRefusal({ kind: 'policy_unavailable', cause });
  });
  trace.decisionId = answer.context?.id;
  (trace.policyVersions ??= new Set()).add(answer.context?.policy_version);
  if (!answer.decision) throw new ExchangeRefusal({ kind: 'policy_denied', decisionId: trace.decisionId });
  return answer;
}
