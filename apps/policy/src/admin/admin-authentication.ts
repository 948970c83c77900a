import { OAuthError, parseScope } from '@behalf/oauth';
import type { Bus, Clock, Subscription } from '@behalf/ports';
import {
  type AccessTokenClaims,
  AccessTokenVerifier,
  readBearerToken,
  remoteKeys,
} from '@behalf/resource-server';
import { RevocationView, followRevocations } from '@behalf/revocation';
import type { OnModuleDestroy } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { PolicyServiceConfig } from '../config.js';

export const adminScope = 'policy:admin';
export const approveScope = 'policy:approve';

/**
 * Who changes policies, and who approves calls: always by a token for this service, on this machine, too. A token that
 * an agent holds on behalf of a person (`act`) administers nothing, whatever its scope.
 */
export class AdminAuthentication implements OnModuleDestroy {
  private constructor(
    private readonly publicUrl: string,
    private readonly verifier: AccessTokenVerifier,
    private readonly following: Subscription,
  ) {}

  static open(config: PolicyServiceConfig, bus: Bus, clock: Clock): AdminAuthentication {
    const revocations = new RevocationView(clock);
    const verifier = new AccessTokenVerifier({
      issuer: config.issuer,
      keys: remoteKeys(config.jwksUri),
      revocations,
      clock,
    });
    return new AdminAuthentication(config.publicUrl, verifier, followRevocations(bus, revocations));
  }

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

  onModuleDestroy(): Promise<void> {
    return this.following.drain();
  }

  async #verify(request: IncomingMessage): Promise<AccessTokenClaims> {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    const token = readBearerToken(request.headers.authorization, query);
    if (token === undefined)
      throw new OAuthError('invalid_token', 'an access token for this service is needed');
    return this.verifier.verify(token, this.publicUrl);
  }
}

function requireScope(claims: AccessTokenClaims, accepted: string[]): void {
  const held = parseScope(claims.scope);
  if (!accepted.some((scope) => held.has(scope)))
    throw new OAuthError('insufficient_scope', `the access token lacks the scope ${accepted.join(' or ')}`);
}
