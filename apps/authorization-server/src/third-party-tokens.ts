import type { BehalfConfig } from '@behalf/config';
import { requestThirdPartyToken } from '@behalf/contracts';
import { canonicalResource, OAuthError, type OAuthErrorCode, oauthErrorCodes } from '@behalf/oauth';
import { type Bus, BusError, extendDeadline } from '@behalf/ports';
import { resolveProviderAccess } from '@behalf/third-party';
import { LRUCache } from 'lru-cache';
import type { LentTokenCache, ThirdPartyDependencies, ThirdPartyTarget } from '@behalf/token-exchange';

const timeoutMs = 10_000;
/** What clients ask for, by how they spell it: each spells it the same way each time. */
const spellings = { max: 1_000, maxLength: 512 };

/** Tokens of third parties as the exchange gets them: from the elicitation service. Undefined where there are none. */
export function thirdPartyTokens(
  { elicitation }: BehalfConfig,
  bus: Bus,
  lentTokens: LentTokenCache,
): Pick<ThirdPartyDependencies, 'findThirdParty' | 'requestThirdPartyToken' | 'lentTokens'> | undefined {
  if (elicitation.providers.length === 0) return undefined;
  const targets = new Map<string, ThirdPartyTarget>();
  for (const { id, resources, scopes, defaultScopes } of resolveProviderAccess(elicitation.providers)) {
    const target = { resource: resources[0], provider: id, scopes: Object.keys(scopes), defaultScopes };
    for (const resource of resources) targets.set(canonicalResource(resource), target);
  }
  const known = new LRUCache<string, { target: ThirdPartyTarget | undefined }>({ max: spellings.max });
  return {
    lentTokens,
    findThirdParty: (identifier) => {
      const asked = known.get(identifier);
      if (asked) return asked.target;
      const target = targets.get(canonicalResource(identifier));
      if (identifier.length <= spellings.maxLength) known.set(identifier, { target });
      return target;
    },
    requestThirdPartyToken: (request) => {
      // For the person, as long as the client has asked us to.
      const waitMs = request.waitSeconds * 1000;
      extendDeadline(waitMs);
      return bus
        .request(requestThirdPartyToken, request, { timeoutMs: timeoutMs + waitMs })
        .catch((error: unknown) => {
          throw refusalOf(error);
        });
    },
  };
}

/** What the elicitation service refused with, as it would say it itself. */
function refusalOf(error: unknown): unknown {
  const code = error instanceof BusError && error.reason === 'refused' ? error.refusal?.error : undefined;
  if (code === undefined || !Object.hasOwn(oauthErrorCodes, code)) return error;
  const description = (error as BusError).refusal?.error_description ?? '';
  return new OAuthError(code as OAuthErrorCode, description, { cause: error });
}
