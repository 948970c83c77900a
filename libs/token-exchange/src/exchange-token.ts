import type { AuditRecord } from '@behalf/audit';
import { type ActClaim, actorChain, parseScope, tokenTypes } from '@behalf/oauth';
import { askPolicy } from './ask-policy.js';
import { buildActChain } from './build-act-chain.js';
import { checkClient } from './check-client.js';
import { checkPresenter } from './check-presenter.js';
import { ExchangeRefusal, refusalToOAuthError } from './exchange-refusal.js';
import { issuedTokenClaims } from './issued-token-claims.js';
import { narrowLifetime } from './narrow-lifetime.js';
import { narrowScope } from './narrow-scope.js';
import { parseExchangeParameters } from './parse-exchange-parameters.js';
import type { ExchangeDependencies, ExchangeRequest, ExchangeResponse, TokenClaims } from './ports.js';
import { selectTarget } from './select-target.js';
import { validateIssuedClaims } from './validate-issued-claims.js';
import { verifyActorToken } from './verify-actor-token.js';
import { verifySubjectToken } from './verify-subject-token.js';

/** What is known of an exchange so far: a refusal half-way is recorded with all of it. */
interface Progress {
  subject?: TokenClaims;
  act?: ActClaim;
  audience?: string;
  decisionId?: string | undefined;
}

/**
 * Exchanges a person's access token for one that the client uses on their behalf at one target.
 *
 * The client must already be authenticated. Allowed or refused, the exchange is in the audit log before the answer
 * leaves; a token that cannot be recorded is not issued.
 *
 * @throws OAuthError `invalid_request`, `invalid_target`, `invalid_scope`, `unauthorized_client`,
 *   `temporarily_unavailable`
 * @see RFC 8693 §2
 */
export async function exchangeToken(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
): Promise<ExchangeResponse> {
  const progress: Progress = {};
  try {
    return await exchange(request, dependencies, progress);
  } catch (error) {
    if (!(error instanceof ExchangeRefusal)) throw error;
    // Refused either way: a full disk must not turn the reason into another one.
    await dependencies.audit.append(auditRecord(request, progress, error)).catch(() => {});
    throw refusalToOAuthError(error.reason);
  }
}

async function exchange(
  request: ExchangeRequest,
  dependencies: ExchangeDependencies,
  progress: Progress,
): Promise<ExchangeResponse> {
  const { client, nowSeconds } = request;
  const { issuer, signer, newId } = dependencies;

  checkClient(client);
  const maxLifetimeSeconds = Math.min(
    dependencies.maxLifetimeSeconds,
    client.ceiling.maxLifetimeSeconds ?? Infinity,
  );
  const parameters = parseExchangeParameters(request.parameters);

  const subject = (progress.subject = await verifySubjectToken(parameters.subjectToken, dependencies));
  const actor =
    parameters.actorToken && (await verifyActorToken(parameters.actorToken, client, dependencies));
  checkPresenter(subject, client, dependencies);

  const act = (progress.act = buildActChain(client.clientId, subject.act, client.ceiling.maxChainDepth));
  const target = selectTarget(parameters.targets, client.ceiling, dependencies);
  progress.audience = target.resource;
  const scope = narrowScope(parameters.scope, {
    subject: parseScope(subject.scope),
    ceiling: client.ceiling.scopes,
    target: target.scopes,
  });
  const actorExp = actor ? actor.exp : undefined;
  const exp = narrowLifetime({ nowSeconds, maxLifetimeSeconds, subjectExp: subject.exp, actorExp });

  progress.decisionId = await askPolicy(
    { subject, act, target, scope, clientId: client.clientId },
    dependencies,
  );

  const claims = issuedTokenClaims({
    issuer,
    subject,
    act,
    clientId: client.clientId,
    audience: target.resource,
    scope,
    nowSeconds,
    exp,
    jti: newId(),
  });
  validateIssuedClaims(claims, subject, {
    issuer,
    maxLifetimeSeconds,
    nowSeconds,
    actorSub: client.clientId,
  });
  const accessToken = await signer.sign({ ...claims }, { typ: 'at+jwt' });

  await dependencies.audit.append(auditRecord(request, progress)).catch((cause: unknown) => {
    throw new ExchangeRefusal({ kind: 'not_recordable', cause });
  });
  return {
    access_token: accessToken,
    issued_token_type: tokenTypes.accessToken,
    token_type: 'Bearer',
    expires_in: exp - nowSeconds,
    scope: scope.toString(),
  };
}

function auditRecord(request: ExchangeRequest, progress: Progress, refusal?: ExchangeRefusal): AuditRecord {
  const { subject, act, audience, decisionId } = progress;
  return {
    type: 'exchange',
    outcome: refusal ? 'refused' : 'allowed',
    occurredAtMs: request.nowSeconds * 1000,
    client: request.client.clientId,
    person: subject?.sub,
    actors: actorChain(act).map((actor) => actor.sub),
    decisionId,
    traceId: request.traceId,
    details: {
      ...(audience !== undefined && { audience }),
      ...(subject?.txn !== undefined && { txn: subject.txn }),
      ...(refusal && { reason: refusal.reason.kind }),
    },
  };
}
