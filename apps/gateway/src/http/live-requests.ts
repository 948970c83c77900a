import { McpError, behalfErrorCodes, mcpErrorCodes } from '@behalf/mcp';
import type { Clock } from '@behalf/ports';
import type { AccessTokenClaims } from '@behalf/resource-server';
import type { RevocationView } from '@behalf/revocation';

const longestTimerMs = 24 * 3600 * 1000;

interface LiveRequest {
  claims: AccessTokenClaims;
  controller: AbortController;
  isStream: boolean;
  ending?: NodeJS.Timeout;
}

/**
 * What is being served now, by the token it came with. All of it ends when the token is revoked; a stream that stays
 * open as long as its client likes also ends when the token expires and when the gateway closes, while a call may finish.
 */
export class LiveRequests {
  readonly #live = new Set<LiveRequest>();
  #drainMs: number | undefined;

  constructor(
    private readonly revocations: RevocationView,
    private readonly clock: Clock,
  ) {}

  enter(claims: AccessTokenClaims, isStream: boolean): { signal: AbortSignal; leave: () => void } {
    const request: LiveRequest = { claims, controller: new AbortController(), isStream };
    const { controller } = request;
    this.#live.add(request);
    if (this.#drainMs !== undefined) this.#endAfter(request, this.#drainMs);
    // It may have been revoked while the policy was asked.
    this.#endIfRevoked(request);
    const leftMs = Math.max(0, claims.exp * 1000 - this.clock.nowMs());
    const expiry = isStream
      ? setTimeout(() => controller.abort(), Math.min(leftMs, longestTimerMs)).unref()
      : undefined;
    return {
      signal: controller.signal,
      leave: () => {
        clearTimeout(expiry);
        clearTimeout(request.ending);
        this.#live.delete(request);
      },
    };
  }

  /** Called when something has been revoked. */
  endRevoked(): void {
    for (const request of this.#live) this.#endIfRevoked(request);
  }

  /** The gateway closes: streams end, and calls that run, or still come on connections that are kept, have so long. */
  endWithin(drainMs: number): void {
    this.#drainMs = drainMs;
    for (const request of this.#live) this.#endAfter(request, drainMs);
  }

  #endAfter(request: LiveRequest, drainMs: number): void {
    const { controller, isStream } = request;
    if (isStream) controller.abort();
    else request.ending = setTimeout(() => controller.abort(closing()), drainMs);
  }

  #endIfRevoked({ claims, controller }: LiveRequest): void {
    if (!this.revocations.isCurrent || this.revocations.isRevoked(claims)) controller.abort(revoked());
  }
}

function revoked(): McpError {
  return new McpError(behalfErrorCodes.unauthorized, 'The access token was revoked', { status: 401 });
}

function closing(): McpError {
  return new McpError(mcpErrorCodes.internalError, 'The gateway is closing', {
    status: 503,
    retryAfterSeconds: 1,
  });
}
