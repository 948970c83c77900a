import { confirmationSchema, handOver } from '@behalf/oauth';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { ResourceRegistry } from './resource-registry.js';

/** What oidc-provider hands over before it signs an access token. */
interface TokenBeingIssued {
  kind: string;
  grantId?: string;
  sessionUid?: string;
}

/**
 * Adds to an access token what oidc-provider does not: the chain it begins (`txn`), the consent and the session it
 * stands on, the person's groups, and who it hands itself over to (`may_act`) when it is bound to a client certificate.
 * Does not touch the claims of RFC 9068 §2.2.
 */
export function completeAccessTokenPayload(
  ctx: KoaContextWithOIDC,
  token: TokenBeingIssued,
  payload: Record<string, unknown>,
  { resources, issuer }: { resources: ResourceRegistry; issuer: string },
): void {
  // Issued to a client directly, so it is the root of its chain; exchange carries the value on.
  payload['txn'] = payload['jti'];
  if (token.kind !== 'AccessToken') return;
  const { RefreshToken, AuthorizationCode, Account } = ctx.oidc.entities;
  const source = AuthorizationCode ?? RefreshToken;
  payload['grant_id'] = token.grantId;
  payload['sid'] = token.sessionUid;
  payload['auth_time'] = source?.['authTime'];
  const groups = Account?.['groups'];
  if (Array.isArray(groups) && groups.length > 0) payload['groups'] = groups;
  const target = resources.find(String(payload['aud']));
  const mayAct = target && handOver(target, confirmationSchema.safeParse(payload['cnf']).data, issuer);
  if (mayAct) payload['may_act'] = mayAct;
}
