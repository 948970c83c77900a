import type { Evaluation } from '@behalf/contracts';
import { type ActClaim, type AuthorizationDetail, type ScopeSet, actorChain } from '@behalf/oauth';
import { ExchangeRefusal } from './exchange-refusal.js';
import type { ExchangeDependencies, ExchangeTarget, TokenClaims } from './ports.js';

/**
 * Asks policy whether this chain may act for this person at this target. No answer is a refusal.
 *
 * @returns the id of the decision
 * @throws ExchangeRefusal
 */
export async function askPolicy(
  question: {
    subject: TokenClaims;
    act: ActClaim;
    target: ExchangeTarget;
    scope: ScopeSet;
    authorizationDetails: readonly AuthorizationDetail[];
    clientId: string;
  },
  { decide }: Pick<ExchangeDependencies, 'decide'>,
): Promise<string | undefined> {
  const { subject, act, target, scope, authorizationDetails, clientId } = question;
  const context: NonNullable<Evaluation['context']> = {
    actors: actorChain(act).map((actor) => ({ sub: actor.sub })),
    client_id: clientId,
    scope: scope.toString(),
    aud: subject.aud,
  };
  // They came out of JSON, which their type does not say.
  if (authorizationDetails.length > 0) context['authorization_details'] = [...authorizationDetails] as never;
  const evaluation: Evaluation = {
    subject: { type: 'user', id: subject.sub, properties: { groups: subject.groups ?? [] } },
    action: { name: 'exchange' },
    resource: { type: 'audience', id: target.resource },
    context,
  };
  const answer = await decide(evaluation).catch((cause: unknown) => {
    throw new ExchangeRefusal({ kind: 'policy_unavailable', cause });
  });
  if (!answer.decision) throw new ExchangeRefusal({ kind: 'policy_denied', decisionId: answer.context?.id });
  return answer.context?.id;
}
