import type { ExchangeExplanation } from '@behalf/token-exchange';
import { auditRecord, type Progress } from './audit-record.js';
import { idJagType } from './id-jag-claims.js';
import { IdJagRefusal, idJagRefusalToOAuthError } from './id-jag-refusal.js';
import { issuingRule } from './issuing-rules.js';
import { decideIdJag, type IssueDependencies, type IssueRequest } from './issue-id-jag.js';

/**
 * Says what asking for an ID-JAG would come to. Every check is made as when one is issued, policy is asked, nothing is
 * signed. That it was asked is recorded.
 *
 * @throws OAuthError `temporarily_unavailable` when it cannot be recorded
 */
export async function explainIdJag(
  request: IssueRequest,
  deps: Omit<IssueDependencies, 'signer'>,
): Promise<ExchangeExplanation> {
  const progress: Progress = {};
  const decided = await decideIdJag(request, deps, progress).catch((error: unknown) => {
    if (error instanceof IdJagRefusal) return error;
    throw error;
  });
  const refusal = decided instanceof IdJagRefusal ? decided : undefined;
  const record = auditRecord('exchange-explanation', request, progress, refusal);
  await deps.audit.append(record).catch((cause: unknown) => {
    throw idJagRefusalToOAuthError({ kind: 'not_recordable', cause });
  });
  const { person, audience, decisionId } = progress;
  return {
    client: request.clientId,
    ...(person !== undefined && { person }),
    actors: [],
    audiences: audience === undefined ? [] : [audience],
    ...(decisionId !== undefined && { decisionId }),
    ...(decided instanceof IdJagRefusal
      ? { outcome: 'refused', refusal: describeRefusal(decided) }
      : { outcome: 'minted', token: describeToken(decided, request.nowSeconds) }),
  };
}

function describeToken(
  { jti: _never, ...claims }: Awaited<ReturnType<typeof decideIdJag>>,
  nowSeconds: number,
): ExchangeExplanation['token'] {
  return { typ: idJagType, claims, tokenType: 'N_A', expiresIn: claims.exp - nowSeconds };
}

function describeRefusal({ reason }: IdJagRefusal): ExchangeExplanation['refusal'] {
  const { error, error_description: description } = idJagRefusalToOAuthError(reason).toJSON();
  return { reason: reason.kind, ...issuingRule(reason.kind), error, description };
}
