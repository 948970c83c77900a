import { OAuthError, parseScope } from '@behalf/oauth';
import type { AccessTokenClaims } from '@behalf/resource-server';
import type { IncomingMessage } from 'node:http';
import type { CallerAuthentication } from '../http/caller-authentication.js';

export const adminScope = 'policy:admin';
export const approveScope = 'policy:approve';

/**
 * Who changes policies, and who approves calls: always by a token for this service, on this machine, too. A token that
 * an agent holds on behalf of a person (`act`) administers nothing, whatever its scope.
 */
export class AdminAuthentication {
  constructor(
    private readonly callers: CallerAuthentication,
    private readonly publicUrl: string,
  ) {}

  /** @throws OAuthError `invalid_token`, `insufficient_scope`; `temporarily_unavailable` */
  async administrator(request: IncomingMessage): Promise<AccessTokenClaims> {
    const claims = await this.#verify(request);
    requireScope(claims, [adminScope]);
    if (claims.act !== undefined)
      throw new OAuthError('insufficient_scope', 'policies are not changed on behalf of somebody');
    return claims;
  }

  /** Whoever may decide on at least their own requests. Whether they are a person is checked with the request. */
  async approver(request: IncomingMessage): Promise<AccessTokenClaims> {
    const claims = await this.#verify(request);
    requireScope(claims, [adminScope, approveScope]);
    return claims;
  }

  #verify(request: IncomingMessage): Promise<AccessTokenClaims> {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    return this.callers.authenticatePerson(request.headers.authorization, query, this.publicUrl);
  }
}

function requireScope(claims: AccessTokenClaims, accepted: string[]): void {
  const held = parseScope(claims.scope);
  if (!accepted.some((scope) => held.has(scope)))
    throw new OAuthError('insufficient_scope', `the access token lacks the scope ${accepted.join(' or ')}`);
}
