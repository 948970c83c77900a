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
import type { OnApplicationShutdown } from '@nestjs/common';
import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type PolicyServiceConfig, requiredScope } from '../config.js';
import type { CertifiedCallers } from './certified-callers.js';
import { isLocalProgram } from './is-local-program.js';

const noQuery = new URLSearchParams();
/** Callers ask with one token until it expires; of the people behind proxied requests there are more. */
const maxVerifiedTokens = 10_000;

/**
 * Who asks for decisions. A caller presents an access token for this service with the scope `policy:evaluate`. Needing
 * none are those whom the configuration knows by their client certificate and, where it allows that, programs on this
 * machine.
 */
export class CallerAuthentication implements Readiness, OnApplicationShutdown {
  private constructor(
    private readonly config: PolicyServiceConfig,
    private readonly verifier: AccessTokenVerifier,
    private readonly revocations: RevocationView,
    private readonly following: Subscription,
    private readonly certified: CertifiedCallers,
  ) {}

  static open(
    config: PolicyServiceConfig,
    certified: CertifiedCallers,
    bus: Bus,
    clock: Clock,
  ): CallerAuthentication {
    const revocations = new RevocationView(clock);
    const verifier = new AccessTokenVerifier({
      issuer: config.issuer,
      keys: remoteKeys(config.jwksUri),
      revocations,
      clock,
      maxVerified: maxVerifiedTokens,
    });
    const following = followRevocations(bus, revocations, { service: 'policy' });
    return new CallerAuthentication(config, verifier, revocations, following, certified);
  }

  /**
   * The client that calls, or the name of its certificate; undefined for a program on this machine. A token that is presented is always checked.
   *
   * @throws OAuthError `invalid_token`, `insufficient_scope`, `invalid_request`; `temporarily_unavailable`
   */
  authenticate(request: IncomingMessage): Promise<string | undefined> {
    const { url = '' } = request;
    const mark = url.indexOf('?');
    const query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
    const by = { certified: this.certified.of(request), isLocal: isLocalProgram(request) };
    return this.authenticateBy(request.headers.authorization, query, by);
  }

  /** Whom the configuration knows by this certificate. Does not look at who issued it. */
  certifiedBy(certificate: X509Certificate): string | undefined {
    return this.certified.nameOf(certificate);
  }

  /**
   * The same for transports other than HTTP/1.
   *
   * @param by how the connection itself speaks for the caller: the name that its certificate stands for, or that it
   *   comes from a program on this machine
   */
  async authenticateBy(
    authorization: string | undefined,
    query: URLSearchParams,
    by: { certified: string | undefined; isLocal: boolean },
  ): Promise<string | undefined> {
    const token = readBearerToken(authorization, query);
    if (token === undefined) {
      if (authorization === undefined && by.certified !== undefined) return by.certified;
      const trusted = this.config.allowUnauthenticatedLoopback && authorization === undefined;
      if (trusted && by.isLocal) return undefined;
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
    return this.revocations.isCurrent ? [] : ['revocations'];
  }

  onApplicationShutdown(): Promise<void> {
    return this.following.drain();
  }
}
