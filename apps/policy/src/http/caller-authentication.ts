import { OAuthError, ScopeSet, parseScope } from '@behalf/oauth';
import type { Bus, Clock, Subscription } from '@behalf/ports';
import {
  type AccessTokenClaims,
  AccessTokenVerifier,
  readBearerToken,
  remoteKeys,
} from '@behalf/resource-server';
import { RevocationView, followRevocations } from '@behalf/revocation';
import type { Readiness } from '@behalf/service-kit';
import type { OnModuleDestroy } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import { type PolicyServiceConfig, requiredScope } from '../config.js';
import { isLocalProgram } from './is-local-program.js';

/**
 * Who asks for decisions. A caller presents an access token for this service with the scope `policy:evaluate`; where
 * the configuration allows it, a program on this machine needs none.
 */
export class CallerAuthentication implements Readiness, OnModuleDestroy {
  private constructor(
    private readonly config: PolicyServiceConfig,
    private readonly verifier: AccessTokenVerifier,
    private readonly revocations: RevocationView,
    private readonly following: Subscription,
  ) {}

  static open(config: PolicyServiceConfig, bus: Bus, clock: Clock): CallerAuthentication {
    const revocations = new RevocationView(clock);
    const verifier = new AccessTokenVerifier({
      issuer: config.issuer,
      keys: remoteKeys(config.jwksUri),
      revocations,
      clock,
    });
    return new CallerAuthentication(config, verifier, revocations, followRevocations(bus, revocations));
  }

  /**
   * The client that calls; undefined for a program on this machine. A token that is presented is always checked.
   *
   * @throws OAuthError `invalid_token`, `insufficient_scope`, `invalid_request`; `temporarily_unavailable`
   */
  authenticate(request: IncomingMessage): Promise<string | undefined> {
    const query = new URL(request.url ?? '/', 'http://localhost').searchParams;
    return this.authenticateBy(request.headers.authorization, query, isLocalProgram(request));
  }

  /** The same for transports other than HTTP/1. */
  async authenticateBy(
    authorization: string | undefined,
    query: URLSearchParams,
    isLocal: boolean,
  ): Promise<string | undefined> {
    const token = readBearerToken(authorization, query);
    if (token === undefined) {
      const trusted = this.config.allowUnauthenticatedLoopback && authorization === undefined;
      if (trusted && isLocal) return undefined;
      throw new OAuthError('invalid_token', 'an access token for this service is needed');
    }
    const claims = await this.verifier.verify(token, this.config.publicUrl);
    if (!new ScopeSet([requiredScope]).isSubsetOf(parseScope(claims.scope))) {
      throw new OAuthError('insufficient_scope', `the access token lacks the scope ${requiredScope}`);
    }
    return claims.client_id;
  }

  /**
   * The person behind a proxied request, by the access token that came with it. It has to be for the server that the
   * request goes to: one for this service or for anybody else says nothing there.
   *
   * @throws OAuthError `invalid_token`, `invalid_request`; `temporarily_unavailable`
   */
  async authenticatePerson(
    authorization: string | undefined,
    query: URLSearchParams,
    resource: string,
  ): Promise<AccessTokenClaims> {
    const token = readBearerToken(authorization, query);
    if (token === undefined) throw new OAuthError('invalid_token', 'an access token is needed');
    return this.verifier.verify(token, resource);
  }

  /** Tokens cannot be judged before the revocations are known. */
  waitingFor(): string[] {
    return this.revocations.loaded ? [] : ['revocations'];
  }

  onModuleDestroy(): Promise<void> {
    return this.following.drain();
  }
}
