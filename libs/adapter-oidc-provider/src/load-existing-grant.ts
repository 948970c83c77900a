import type { KoaContextWithOIDC } from 'oidc-provider';
import { accountClientId } from './account-client.js';
import { findConsent } from './consent.js';
import type { ProviderDependencies } from './dependencies.js';

/** What the person has agreed to: now, or before. Nobody is asked about our own account page. */
export async function loadExistingGrant(ctx: KoaContextWithOIDC, { records }: ProviderDependencies) {
  const { client, account, result, provider } = ctx.oidc;
  if (!client || !account) return undefined;
  if (client.clientId === accountClientId) {
    const grant = new provider.Grant({ accountId: account.accountId, clientId: accountClientId });
    grant.addOIDCScope('openid');
    return grant;
  }
  const decided =
    result?.consent?.grantId ?? (await findConsent(records, account.accountId, client.clientId))?.grantId;
  return decided === undefined ? undefined : provider.Grant.find(decided);
}
