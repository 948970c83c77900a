import { type Evaluation, evaluatePolicy } from '@behalf/contracts';
import { OAuthError, actorChain } from '@behalf/oauth';
import type { Bus } from '@behalf/ports';
import type { AccessTokenClaims } from '@behalf/resource-server';
import { type ForwardRule, type ForwardTarget, type Provider, encodePath } from '@behalf/third-party';

const timeoutMs = 3_000;

export interface ForwardQuestion {
  claims: AccessTokenClaims;
  provider: Provider;
  rule: ForwardRule;
  method: string;
  target: ForwardTarget;
}

export interface Permission {
  decisionId: string | undefined;
  /** Opens the credential, once. */
  decisionGrant: string | undefined;
}

/** Who acts: the chain of the token, or its client where a person uses it by themselves. The current actor first. */
function actorsOf({ act, client_id: clientId }: AccessTokenClaims): { sub: string; iss?: string }[] {
  const chain = actorChain(act).map(({ sub, iss }) => ({ sub, ...(iss !== undefined && { iss }) }));
  return chain.length === 0 ? [{ sub: clientId }] : chain;
}

/**
 * Asks the policy whether this chain may make this very call for this person. A permission that something hangs on
 * which is not known here is none.
 *
 * @throws OAuthError `access_denied`, `insufficient_scope`; `temporarily_unavailable` when there is no decision
 */
export async function askPermission(question: ForwardQuestion, bus: Bus): Promise<Permission> {
  const answer = await bus
    .request(evaluatePolicy, buildEvaluation(question), { timeoutMs })
    .catch((cause: unknown) => {
      throw new OAuthError('temporarily_unavailable', 'the policy could not be asked; nothing was done', {
        cause,
        retryAfterSeconds: 1,
      });
    });
  const { id: decisionId, decision_grant: decisionGrant, obligations = [], reason } = answer.context ?? {};
  const parameters: Record<string, string> = decisionId === undefined ? {} : { decision_id: decisionId };
  if (!answer.decision && reason === 'insufficient_scope')
    throw new OAuthError('insufficient_scope', 'the access token lacks a scope that this call needs', {
      parameters: {
        ...parameters,
        ...(answer.context?.scope !== undefined && { scope: answer.context.scope }),
      },
    });
  if (!answer.decision || obligations.length > 0)
    throw new OAuthError('access_denied', 'the policy does not permit this call', { parameters });
  return { decisionId, decisionGrant };
}

function buildEvaluation({ claims, provider, rule, method, target }: ForwardQuestion): Evaluation {
  return {
    subject: { type: 'user', id: claims.sub, properties: { groups: claims.groups ?? [] } },
    action: { name: 'forward' },
    resource: { type: 'audience', id: provider.resources[0], properties: { provider: provider.id } },
    context: {
      actors: actorsOf(claims),
      client_id: claims.client_id,
      // What the call needs and no more: that much is decided about, and that much is opened.
      scope: rule.scopes.join(' '),
      aud: claims.aud,
      // As free as the arguments of a tool, and handled like them.
      arguments: { method, host: target.host, path: encodePath(target.segments) },
    },
  };
}
