import {
  type ActClaim,
  actorChain,
  type AuthorizationDetail,
  type Confirmation,
  handOver,
} from '@behalf/oauth';
import type { MayAct } from '@behalf/token-exchange';
import { askPolicy } from './ask-policy.js';
import { auditRecord, type Progress } from './audit-record.js';
import { IdJagRefusal, idJagRefusalToOAuthError, undecided } from './id-jag-refusal.js';
import { checkDetails, narrowScope, selectTarget } from './narrow-assertion.js';
import type { RedeemDependencies, RedeemRequest } from './redeem-ports.js';
import { qualifyChain, verifyAssertion } from './verify-assertion.js';

/** Claims of the access token that is issued, for the caller to sign as `at+jwt`. */
export interface RedemptionClaims {
  iss: string;
  sub: string;
  aud: string;
  client_id: string;
  scope: string;
  iat: number;
  exp: number;
  jti: string;
  txn: string;
  act?: ActClaim;
  cnf?: Confirmation;
  may_act?: MayAct;
  /** How the person signed in at the identity provider, as it says (RFC 9068 §2.2.1). */
  auth_time?: number;
  acr?: string;
  amr?: string[];
  groups?: string[];
  authorization_details?: AuthorizationDetail[];
}

/**
 * Redeems an ID-JAG: decides what access token its client gets for the person that it names.
 *
 * The client must already be authenticated. The assertion is used up last, when nothing else can be refused, and once.
 * Allowed or refused, it is in the audit log before this returns. There is no refresh token: the client asks its identity
 * provider again.
 *
 * @throws OAuthError `invalid_grant`, `invalid_target`, `invalid_scope`, `unauthorized_client`,
 *   `temporarily_unavailable`
 * @see draft-ietf-oauth-identity-assertion-authz-grant §4.4; MCP Enterprise-Managed Authorization §5.1
 */
export async function redeemIdJag(
  request: RedeemRequest,
  deps: RedeemDependencies,
): Promise<RedemptionClaims> {
  const progress: Progress = {};
  try {
    const claims = await redeem(request, deps, progress);
    await deps.audit
      .append(auditRecord('id-jag-redemption', { ...request, ...request.client }, progress))
      .catch((cause: unknown) => {
        throw new IdJagRefusal({ kind: 'not_recordable', cause });
      });
    return claims;
  } catch (error) {
    if (!(error instanceof IdJagRefusal)) throw error;
    // Refused either way: a full disk must not turn the reason into another one.
    await deps.audit
      .append(auditRecord('id-jag-redemption', { ...request, ...request.client }, progress, error))
      .catch(() => {});
    throw idJagRefusalToOAuthError(error.reason);
  }
}

async function redeem(
  request: RedeemRequest,
  deps: RedeemDependencies,
  progress: Progress,
): Promise<RedemptionClaims> {
  const { client, proof, nowSeconds } = request;
  if (!client.isConfidential) throw new IdJagRefusal({ kind: 'client_is_public' });
  const { claims, issuedAtMs } = await verifyAssertion(request, deps, progress);
  const act = claims.act === undefined ? undefined : qualifyChain(claims, deps);

  const person = await deps.findPerson({ issuer: claims.iss, subject: claims.sub }).catch(undecided);
  if (!person) throw new IdJagRefusal({ kind: 'person_unknown' });
  // Who somebody is here is ours to know, and never taken from this; but who says somebody else means somebody else.
  if ((claims.aud_sub ?? person.sub) !== person.sub) throw new IdJagRefusal({ kind: 'person_mismatch' });
  progress.person = person.sub;

  const target = selectTarget(request, claims, deps);
  progress.audience = target.resource;
  const scope = narrowScope(request, claims, target);
  const details = checkDetails(claims, client.ceiling);
  const exp = nowSeconds + Math.min(deps.accessTokenSeconds, client.ceiling?.maxLifetimeSeconds ?? Infinity);

  progress.decisionId = await askPolicy(
    {
      subject: { type: 'user', id: person.sub, properties: { groups: person.groups } },
      action: { name: 'jwt-bearer' },
      resource: { type: 'audience', id: target.resource },
      context: {
        actors: actorChain(act),
        client_id: client.clientId,
        assertion_issuer: claims.iss,
        scope: scope.toString(),
      },
    },
    deps,
  );

  const { iss: issuer, jti } = claims;
  const isFirst = await deps.useUp({ issuer, jti, exp: claims.exp, issuedAtMs }).catch(undecided);
  if (!isFirst) throw new IdJagRefusal({ kind: 'assertion_used' });
  const id = deps.newId();
  const mayAct = handOver(target, proof, deps.issuer);
  return {
    iss: deps.issuer,
    sub: person.sub,
    aud: target.resource,
    client_id: client.clientId,
    scope: scope.toString(),
    iat: nowSeconds,
    exp,
    jti: id,
    // The root of a chain of exchanges gives it its name.
    txn: id,
    ...(act && { act }),
    ...(proof && { cnf: proof }),
    ...(mayAct && { may_act: mayAct }),
    ...(claims.auth_time !== undefined && { auth_time: claims.auth_time }),
    ...(claims.acr !== undefined && { acr: claims.acr }),
    ...(claims.amr && { amr: claims.amr }),
    ...(person.groups.length > 0 && { groups: person.groups }),
    ...(details && { authorization_details: details }),
  };
}
