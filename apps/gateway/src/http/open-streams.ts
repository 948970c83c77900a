import type { Clock } from '@behalf/ports';
import type { AccessTokenClaims } from '@behalf/resource-server';
import type { RevocationView } from '@behalf/revocation';

const longestTimerMs = 24 * 3600 * 1000;

interface OpenStream {
  claims: AccessTokenClaims;
  controller: AbortController;
}

/**
 * The streams that stay open as long as their clients like. None outlives the token it was opened with: it ends when
 * the token expires, when it is revoked, and when the gateway closes.
 */
export class OpenStreams {
  readonly #streams = new Set<OpenStream>();
  #closed = false;

  constructor(
    private readonly revocations: RevocationView,
    private readonly clock: Clock,
  ) {}

  open(claims: AccessTokenClaims): { signal: AbortSignal; close: () => void } {
    const stream = { claims, controller: new AbortController() };
    const end = (): void => stream.controller.abort();
    if (this.#closed) end();
    this.#streams.add(stream);
    const leftMs = Math.max(0, claims.exp * 1000 - this.clock.nowMs());
    const expiry = setTimeout(end, Math.min(leftMs, longestTimerMs)).unref();
    return {
      signal: stream.controller.signal,
      close: () => {
        clearTimeout(expiry);
        this.#streams.delete(stream);
      },
    };
  }

  /** Called when something has been revoked. */
  endRevoked(): void {
    for (const { claims, controller } of this.#streams)
      if (!this.revocations.loaded || this.revocations.isRevoked(claims)) controller.abort();
  }

  endAll(): void {
    this.#closed = true;
    for (const { controller } of this.#streams) controller.abort();
  }
}
