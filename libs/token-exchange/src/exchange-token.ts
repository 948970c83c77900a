import type { AuditRecord } from '@behalf/audit';
import { type ActClaim, actorChain, parseScope, tokenTypes } from '@behalf/oauth';
import { askPolicy } from './ask-policy.js';
import { buildActChain } from './build-act-chain.js';
import { buildLineage } from './build-lineage.js';
import { checkBinding } from './check-binding.js';
import { checkClient } from './check-client.js';
import { checkPresenter } from './check-presenter.js';
import { ExchangeRefusal, refusalToOAuthError } from './exchange-refusal.js';
import { issuedTokenClaims } from './issued-token-claims.js';
import { narrowAuthorizationDetails } from './narrow-authorization-details.js';
import { narrowLifetime } from './narrow-lifetime.js';
import { narrowScope } from './narrow-scope.js';
import { parseExchangeParameters } from './parse-exchange-parameters.js';
import type { ExchangeDependencies, ExchangeRequest, ExchangeResponse, TokenClaims } from './ports.js';
import { resolveDelegation } from './resolve-delegation.js';
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
  const { client, proof, nowSeconds } = request;
  const { clientId } = client;

  checkClient(client);
  const { ceiling } = client;
  const parameters = parseExchangeParameters(request.parameters);

  const { subjectToken, subjectTokenType, actorToken } = parameters;
  const verified = await verifySubjectToken(subjectToken, subjectTokenType, client, dependencies);
  const subject = (progress.subject = verified.claims);
  checkBinding(subject, 'subject', proof);
  const actor = actorToken && (await verifyActorToken(actorToken, client, dependencies));
  if (actor) checkBinding(actor, 'actor', proof);
  checkPresenter(verified, client, dependencies);

  const act = (progress.act = buildActChain(clientId, subject.act, ceiling.maxChainDepth));
  const lineage = buildLineage(subject);
  const target = selectTarget(parameters.targets, ceiling, dependencies);
  progress.audience = target.resource;

  const possible = narrowScope(parameters.scope, {
    subject: verified.kind === 'id_token' ? undefined : parseScope(subject.scope),
    ceiling: ceiling.scopes,
    target: target.scopes,
  });
  const detailBounds = {
    subject: subject.authorization_details ?? [],
    types: ceiling.authorizationDetailsTypes ?? [],
    locations: [target.resource],
  };
  const delegation = await resolveDelegation(
    target,
    {
      query: { person: subject.sub, agent: clientId, resource: target.resource, nowSeconds },
      scope: possible,
      authorizationDetails: narrowAuthorizationDetails(parameters.authorizationDetails, {
        ...detailBounds,
        grant: undefined,
      }),
      isScopeNamed: parameters.scope !== undefined,
    },
    dependencies,
  );
  // Who somebody is does not say what may be done for them.
  if (verified.kind === 'id_token' && !delegation) throw new ExchangeRefusal({ kind: 'no_scope_left' });
  const scope = delegation ? possible.intersect(delegation.scopes) : possible;
  const authorizationDetails = narrowAuthorizationDetails(parameters.authorizationDetails, {
    ...detailBounds,
    grant: delegation?.authorizationDetails,
  });
  const maxLifetimeSeconds = Math.min(
    dependencies.maxLifetimeSeconds,
    ceiling.maxLifetimeSeconds ?? Infinity,
  );
  const exp = narrowLifetime({
    nowSeconds,
    maxLifetimeSeconds,
    inputExps: [
      subject.exp,
      ...(actor ? [actor.exp] : []),
      ...(delegation ? [delegation.expiresAtSeconds] : []),
    ],
  });

  progress.decisionId = await askPolicy(
    { subject, act, target, scope, authorizationDetails, clientId },
    dependencies,
  );

  const claims = issuedTokenClaims({
    issuer: dependencies.issuer,
    subject,
    act,
    clientId,
    audience: target.resource,
    scope,
    authorizationDetails,
    nowSeconds,
    exp,
    jti: dependencies.newId(),
    lineage,
    proof,
    delegation: delegation?.id,
  });
  validateIssuedClaims(claims, verified, {
    issuer: dependencies.issuer,
    maxLifetimeSeconds,
    nowSeconds,
    actorSub: clientId,
    proof,
    delegation,
  });
  const accessToken = await dependencies.signer.sign({ ...claims }, { typ: 'at+jwt' });

  await dependencies.audit.append(auditRecord(request, progress)).catch((cause: unknown) => {
    throw new ExchangeRefusal({ kind: 'not_recordable', cause });
  });
  return {
    access_token: accessToken,
    issued_token_type: tokenTypes.accessToken,
    token_type: proof?.jkt === undefined ? 'Bearer' : 'DPoP',
    expires_in: exp - nowSeconds,
    scope: scope.toString(),
    ...(authorizationDetails.length > 0 && { authorization_details: authorizationDetails }),
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
