import type { Caller } from '@behalf/mcp';
import { createHmac, timingSafeEqual } from 'node:crypto';

const urlMark = '~url';

/**
 * Binds the session and event ids of a legacy upstream to the person and client they were given to: what leaves is
 * `<id>.<mac>`, and an id that comes back from somebody else is not known. An id alone authenticates nobody.
 *
 * All gateways behind one address have the same keys, so that any of them carries a session on: the first one makes, and
 * all are known.
 *
 * @see MCP security best practices, "Session Hijacking"
 */
export class SessionBinding {
  constructor(private readonly keys: () => readonly Uint8Array[]) {}

  /** @param showsUrls the client of the session said that it can show URLs */
  wrap(kind: 'session' | 'event', upstream: string, caller: Caller, id: string, showsUrls = false): string {
    const [newest] = this.keys();
    if (newest === undefined) throw new Error('no key for sessions');
    const mac = macOf(newest, kind, upstream, caller, id, showsUrls).toString('base64url');
    return `${id}${showsUrls ? urlMark : ''}.${mac}`;
  }

  /** @returns undefined for an id that was not given to this caller */
  unwrap(kind: 'session' | 'event', upstream: string, caller: Caller, wrapped: string): string | undefined {
    return this.#open(kind, upstream, caller, wrapped)?.id;
  }

  /** True when the client of this session said that it can show URLs. */
  showsUrls(upstream: string, caller: Caller, wrapped: unknown): boolean {
    return (
      typeof wrapped === 'string' && this.#open('session', upstream, caller, wrapped)?.showsUrls === true
    );
  }

  #open(
    kind: 'session' | 'event',
    upstream: string,
    caller: Caller,
    wrapped: string,
  ): { id: string; showsUrls: boolean } | undefined {
    const dot = wrapped.lastIndexOf('.');
    const whole = wrapped.slice(0, Math.max(dot, 0));
    const presented = Buffer.from(wrapped.slice(dot + 1), 'base64url');
    const read = (id: string, showsUrls: boolean): { id: string; showsUrls: boolean } | undefined => {
      const isOurs = this.keys().some((key) => {
        const expected = macOf(key, kind, upstream, caller, id, showsUrls);
        return presented.length === expected.length && timingSafeEqual(presented, expected);
      });
      return isOurs ? { id, showsUrls } : undefined;
    };
    const marked = whole.endsWith(urlMark) ? read(whole.slice(0, -urlMark.length), true) : undefined;
    // An upstream's own id may end like our mark.
    return marked ?? read(whole, false);
  }
}

function macOf(
  key: Uint8Array,
  kind: string,
  upstream: string,
  { sub, client_id }: Caller,
  id: string,
  showsUrls: boolean,
): Buffer {
  return createHmac('sha256', key)
    .update(JSON.stringify([kind, upstream, sub, client_id, id, showsUrls]))
    .digest();
}
