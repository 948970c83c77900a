import type { AccessTokenClaims, AccessTokenVerifier } from '@behalf/resource-server';
import { OAuthError } from '@behalf/oauth';

/** What this process has open at once; each has a connection to a third party. */
const maxCalls = 200;

interface LiveCall {
  claims: AccessTokenClaims;
  connectionId: string;
  controller: AbortController;
  ending?: NodeJS.Timeout;
}

/** Calls that are being forwarded now: they end with the token they came with, and with the connection they use. */
export class LiveCalls {
  readonly #live = new Set<LiveCall>();
  #drainMs: number | undefined;

  constructor(private readonly verifier: Pick<AccessTokenVerifier, 'checkStillValid'>) {}

  /**
   * Runs a call until it has finished, or may not go on.
   *
   * @throws OAuthError `temporarily_unavailable` when there are too many; `invalid_token` when it was revoked meanwhile
   */
  async run<T>(
    of: Pick<LiveCall, 'claims' | 'connectionId'>,
    work: (controller: AbortController) => Promise<T>,
  ): Promise<T> {
    if (this.#live.size >= maxCalls)
      throw new OAuthError('temporarily_unavailable', 'too many calls are under way', {
        retryAfterSeconds: 1,
      });
    // It may have been revoked while the policy and the vault were asked.
    this.verifier.checkStillValid(of.claims);
    const call: LiveCall = { ...of, controller: new AbortController() };
    this.#live.add(call);
    if (this.#drainMs !== undefined) this.#endAfter(call, this.#drainMs);
    try {
      return await work(call.controller);
    } finally {
      clearTimeout(call.ending);
      this.#live.delete(call);
    }
  }

  /** To be called when something has been revoked. */
  endRevoked(): void {
    for (const { claims, controller } of this.#live) {
      try {
        this.verifier.checkStillValid(claims);
      } catch (error) {
        controller.abort(error);
      }
    }
  }

  endConnection(id: string): void {
    for (const { connectionId, controller } of this.#live)
      if (connectionId === id)
        controller.abort(new OAuthError('access_denied', 'the account is not connected any more'));
  }

  /** The service closes: calls that run, or still come on connections that are kept, have so long. */
  endWithin(drainMs: number): void {
    this.#drainMs = drainMs;
    for (const call of this.#live) this.#endAfter(call, drainMs);
  }

  #endAfter(call: LiveCall, drainMs: number): void {
    const closing = new OAuthError('temporarily_unavailable', 'the service is closing', {
      retryAfterSeconds: 1,
    });
    call.ending = setTimeout(() => call.controller.abort(closing), drainMs);
  }
}
