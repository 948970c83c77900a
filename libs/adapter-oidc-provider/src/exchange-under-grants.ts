import {
  type ExchangeDependencies,
  type ExchangeRequest,
  type ExchangeResponse,
  exchangeToken,
} from '@behalf/token-exchange';

/** What surrounds an exchange that may stand on a delegation grant. */
export interface DelegationPorts {
  /** Resolves when the person has approved. @throws OAuthError as of RFC 8628 §3.5 before, and when they will not */
  pollDelegation?: (request: { id: string; agent: string }) => Promise<void>;
  /** Told of every delegation grant that a token was issued by. */
  noteDelegationUse?: (grantId: string) => Promise<void>;
}

/**
 * Exchanges a token. An agent that waits for a person names its request (`request_id`) and hears how that stands before
 * anything else is looked at, so that waiting costs little and fills no audit log.
 *
 * @throws OAuthError what `exchangeToken` throws; `authorization_pending`, `slow_down`, `access_denied`,
 *   `expired_token`, `invalid_grant`
 */
export async function exchangeUnderGrants(
  request: ExchangeRequest,
  dependencies: Omit<ExchangeDependencies, 'audit'>,
  audit: ExchangeDependencies['audit'],
  { pollDelegation, noteDelegationUse }: DelegationPorts,
  onServerError: (error: unknown) => void,
): Promise<ExchangeResponse> {
  const { request_id: id, ...parameters } = request.parameters;
  if (typeof id === 'string') await pollDelegation?.({ id, agent: request.client.clientId });
  const used: string[] = [];
  const { findDelegationGrant } = dependencies;
  const noting: ExchangeDependencies = { ...dependencies, audit };
  if (findDelegationGrant) {
    noting.findDelegationGrant = async (need) => {
      const grant = await findDelegationGrant(need);
      if (grant) used.push(grant.id);
      return grant;
    };
  }
  const answer = await exchangeToken(id === undefined ? request : { ...request, parameters }, noting);
  // What it was used for is in the audit log. This is for people to look at, and fails nothing.
  if (noteDelegationUse && used.length > 0)
    await Promise.all(used.map(noteDelegationUse)).catch(onServerError);
  return answer;
}
