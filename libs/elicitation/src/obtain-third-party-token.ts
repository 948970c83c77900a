import type { AuditRecord } from '@behalf/audit';
import type { ElicitationOffer, ThirdPartyTokenRequest } from '@behalf/contracts';
import { coversScopes, leastScopes } from '@behalf/oauth';
import { findConsent, noteUse } from './consent.js';
import { elicitationRecords, statusAt } from './elicitation.js';
import { ElicitationRefusal, elicitationRefusalToOAuthError } from './elicitation-refusal.js';
import type { ElicitationDependencies, ElicitedProvider, TokenUse } from './ports.js';
import { openRequestState, sealRequestState } from './request-state.js';
import { type StartedElicitation, startElicitation } from './start-elicitation.js';

export type ObtainedToken =
  | { outcome: 'token'; token: Extract<TokenUse, { kind: 'token' }> }
  | { outcome: 'interaction_required'; elicitation: ElicitationOffer };

export const pollIntervalSeconds = 3;

/**
 * A third party's token for a person, if they have agreed that this asker uses their account; otherwise the offer to
 * ask them. A retry with the state of an earlier offer goes on with it, and may wait for a person who is just at it.
 *
 * The policy must have permitted it before: here it is decided by the person, never instead of the policy. Given or
 * refused, it is in the audit log before the answer leaves.
 *
 * @throws OAuthError `invalid_target`, `invalid_scope`, `invalid_request`, `access_denied`, `temporarily_unavailable`
 */
export async function obtainThirdPartyToken(
  request: ThirdPartyTokenRequest,
  dependencies: ElicitationDependencies,
): Promise<ObtainedToken> {
  const { audit, clock, findProvider } = dependencies;
  const provider = findProvider(request.resource);
  try {
    if (!provider) throw new ElicitationRefusal({ kind: 'provider_unknown' });
    const obtained = await obtain(request, provider, dependencies);
    await audit.append(auditRecord(request, provider, clock.nowMs(), obtained));
    return obtained;
  } catch (error) {
    if (!(error instanceof ElicitationRefusal)) throw error;
    // Refused either way: a full disk must not turn the reason into another one.
    await audit.append(auditRecord(request, provider, clock.nowMs(), error)).catch(() => {});
    throw elicitationRefusalToOAuthError(error.reason);
  }
}

async function obtain(
  asked: ThirdPartyTokenRequest,
  provider: ElicitedProvider,
  dependencies: ElicitationDependencies,
): Promise<ObtainedToken> {
  const { keyEncryptionKey, clock, waitForChange } = dependencies;
  if (!asked.scopes.every((scope) => Object.hasOwn(provider.scopes, scope)))
    throw new ElicitationRefusal({ kind: 'scope_unknown' });
  // A person reads, and the provider is asked for, nothing that the rest gives as well.
  const request = { ...asked, scopes: leastScopes(asked.scopes, provider.impliedScopes) };
  const { requestState: state } = request;
  const continued =
    state === undefined ? undefined : await openRequestState(keyEncryptionKey, state, request, clock.nowMs());

  const token = await useToken(request, provider, dependencies);
  if (token) return { outcome: 'token', token };
  if (continued !== undefined && request.waitSeconds > 0) {
    await waitForChange(continued, request.waitSeconds * 1000);
    const awaited = await offerIfCompleted(request, provider, continued, dependencies);
    if (awaited) return { outcome: 'interaction_required', elicitation: awaited };
  }
  const started = await elicitationFor(request, provider, continued, dependencies);
  return {
    outcome: 'interaction_required',
    elicitation: await offerOf(request, provider, started, dependencies),
  };
}

async function useToken(
  { person, client, actors, resource, scopes, decisionGrant }: ThirdPartyTokenRequest,
  { id: provider, impliedScopes }: ElicitedProvider,
  { records, clock, tokens }: ElicitationDependencies,
): Promise<Extract<TokenUse, { kind: 'token' }> | undefined> {
  const asker = { person, provider, client, actors };
  const consent = await findConsent(records, asker);
  if (!consent || !coversScopes(consent.scopes, scopes, impliedScopes)) return undefined;
  const use = await tokens.use({ ...asker, resource, scopes, decisionGrant });
  if (use.kind !== 'token') return undefined;
  // Withdrawn while the credential was being opened: then it was opened for nobody.
  const isStillAgreed = await records.transaction((transaction) =>
    noteUse(transaction, asker, clock.nowMs()),
  );
  return isStillAgreed ? use : undefined;
}

/**
 * What was waited for is done. The decision that the request came with is old by now, so nothing is opened by it: the
 * asker is told, and asks the policy anew.
 */
async function offerIfCompleted(
  request: ThirdPartyTokenRequest,
  provider: ElicitedProvider,
  id: string,
  dependencies: ElicitationDependencies,
): Promise<ElicitationOffer | undefined> {
  const found = await dependencies.records.get(elicitationRecords, id);
  if (found?.value.status !== 'completed') return undefined;
  return offerOf(request, provider, { id, elicitation: found.value }, dependencies);
}

/** The one that the retry goes on with, as long as it can be gone on with; a person who said no is not asked again by it. */
async function elicitationFor(
  request: ThirdPartyTokenRequest,
  provider: ElicitedProvider,
  continued: string | undefined,
  { records, clock, newId, elicitationSeconds }: ElicitationDependencies,
): Promise<StartedElicitation> {
  const nowMs = clock.nowMs();
  const known = continued === undefined ? undefined : await records.get(elicitationRecords, continued);
  if (known && statusAt(known.value, nowMs) === 'declined')
    throw new ElicitationRefusal({ kind: 'declined' });
  return startElicitation(request, provider.id, { records, newId, nowMs, seconds: elicitationSeconds });
}

async function offerOf(
  request: ThirdPartyTokenRequest,
  provider: ElicitedProvider,
  { id, elicitation }: StartedElicitation,
  { keyEncryptionKey, connectUrl, pollUrl }: ElicitationDependencies,
): Promise<ElicitationOffer> {
  const { expiresAtMs, status } = elicitation;
  return {
    id,
    status,
    url: `${connectUrl}?e=${id}`,
    message: messageOf(request, provider),
    expiresAtMs,
    pollUrl: `${pollUrl}/${id}`,
    pollIntervalSeconds,
    requestState: await sealRequestState(keyEncryptionKey, { elicitation: id, expiresAtMs }, request),
  };
}

/** Says who asks and for what, and nothing about the person: it passes through the client. */
function messageOf(
  { actors, names, scopes }: ThirdPartyTokenRequest,
  { name, scopes: words }: ElicitedProvider,
): string {
  const wanted = scopes.map((scope) => words[scope] ?? scope).join('; ');
  const asker = names[actors[0] ?? ''] ?? actors[0];
  return `${asker} needs your ${name} account${wanted === '' ? '' : ` (${wanted})`}. Open the link, sign in and decide there.`;
}

function auditRecord(
  request: ThirdPartyTokenRequest,
  provider: ElicitedProvider | undefined,
  occurredAtMs: number,
  result: ObtainedToken | ElicitationRefusal,
): AuditRecord {
  const { person, client, actors, decisionId, resource, scopes, txn } = request;
  const isRefused = result instanceof ElicitationRefusal;
  return {
    type: 'third-party-token',
    outcome: !isRefused && result.outcome === 'token' ? 'allowed' : 'refused',
    occurredAtMs,
    person,
    client,
    actors,
    decisionId,
    details: {
      resource,
      scopes,
      ...(provider && { provider: provider.id }),
      ...(txn !== undefined && { txn }),
      ...(isRefused && { reason: result.reason.kind }),
      ...(!isRefused &&
        result.outcome === 'interaction_required' && {
          reason: 'interaction_required',
          elicitation: result.elicitation.id,
        }),
    },
  };
}
