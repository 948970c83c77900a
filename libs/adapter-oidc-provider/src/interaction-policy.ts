import type { RecordStore } from '@behalf/ports';
import { interactionPolicy } from 'oidc-provider';
import { accountClientId } from './account-client.js';
import { findConsent, redirectHost } from './consent.js';

const { Check, base } = interactionPolicy;

/**
 * When people are asked: to sign in without a session, and to consent to scopes, resources or redirect hosts that they
 * have not agreed to for this client yet.
 */
export function buildInteractionPolicy(records: RecordStore): ReturnType<typeof base> {
  const policy = base();
  const consent = policy.get('consent');
  // The library asks native clients every time; here the decision is remembered, together with the redirect host.
  consent?.checks.remove('native_client_prompt');
  consent?.checks.add(
    new Check('redirect_host_new', 'the client wants its answer somewhere new', async ({ oidc }) => {
      if (oidc.result?.consent || oidc.client?.clientId === accountClientId) return Check.NO_NEED_TO_PROMPT;
      const decided =
        oidc.account &&
        oidc.client &&
        (await findConsent(records, oidc.account.accountId, oidc.client.clientId));
      const host = redirectHost(String(oidc.params?.['redirect_uri']));
      return decided?.redirectHosts.includes(host) ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
    }),
  );
  return policy;
}
