import type { ExchangePorts } from '@behalf/adapter-oidc-provider';
import {
  type DelegationDependencies,
  DelegationRefusal,
  delegationRefusalToOAuthError,
  findGrant,
  type GrantUses,
  pollIntervalSeconds,
  pollRequest,
  requestDelegation,
} from '@behalf/delegation-grants';
import type { Clock } from '@behalf/ports';

/** What token exchange asks about delegation grants, answered from the records. */
export function exchangeDelegation(
  delegation: DelegationDependencies,
  uses: GrantUses,
  clock: Clock,
  /** The page on which a request is decided. */
  urlOf: (requestId: string) => string,
): Pick<ExchangePorts, 'findDelegationGrant' | 'requestDelegation' | 'pollDelegation' | 'noteDelegationUse'> {
  return {
    findDelegationGrant: async ({ nowSeconds, scopes: needed, isScopeNamed, ...question }) => {
      const wanted = isScopeNamed ? { requiredScopes: needed } : { usefulScopes: needed };
      const found = await findGrant(delegation.records, { ...question, ...wanted }, nowSeconds * 1000);
      if (!found) return undefined;
      const { id, scopes, authorizationDetails, expiresAtMs } = found;
      return { id, scopes, authorizationDetails, expiresAtSeconds: Math.floor(expiresAtMs / 1000) };
    },
    requestDelegation: async ({ nowSeconds, ...wanted }) => {
      const nowMs = nowSeconds * 1000;
      const { id, expiresAtMs } = await requestDelegation(wanted, nowMs, delegation).catch(refuse);
      return {
        consentUrl: urlOf(id),
        requestId: id,
        expiresInSeconds: Math.max(1, Math.floor((expiresAtMs - nowMs) / 1000)),
        intervalSeconds: pollIntervalSeconds,
      };
    },
    pollDelegation: (request) => pollRequest(request, clock.nowMs(), delegation).catch(refuse),
    noteDelegationUse: (id) => uses.note(id, clock.nowMs()),
  };
}

function refuse(error: unknown): never {
  throw error instanceof DelegationRefusal ? delegationRefusalToOAuthError(error.reason) : error;
}
