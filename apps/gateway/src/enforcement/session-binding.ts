import type { Caller } from '@behalf/mcp';
import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Binds the session and event ids of a legacy upstream to the person and client they were given to: what leaves is
 * `<id>.<mac>`, and an id that comes back from somebody else is not known. An id alone authenticates nobody.
 *
 * All gateways behind one address have the same key, so that any of them carries a session on.
 *
 * @see MCP security best practices, "Session Hijacking"
 */
export class SessionBinding {
  constructor(private readonly key: Uint8Array) {}

  wrap(kind: 'session' | 'event', upstream: string, caller: Caller, id: string): string {
    return `${id}.${this.#mac(kind, upstream, caller, id).toString('base64url')}`;
  }

  /** @returns undefined for an id that was not given to this caller */
  unwrap(kind: 'session' | 'event', upstream: string, caller: Caller, wrapped: string): string | undefined {
    const dot = wrapped.lastIndexOf('.');
    const id = wrapped.slice(0, Math.max(dot, 0));
    const presented = Buffer.from(wrapped.slice(dot + 1), 'base64url');
    const expected = this.#mac(kind, upstream, caller, id);
    return presented.length === expected.length && timingSafeEqual(presented, expected) ? id : undefined;
  }

  #mac(kind: string, upstream: string, { sub, client_id }: Caller, id: string): Buffer {
    return createHmac('sha256', this.key)
      .update(JSON.stringify([kind, upstream, sub, client_id, id]))
      .digest();
  }
}
