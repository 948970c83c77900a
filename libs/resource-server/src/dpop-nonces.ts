import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@behalf/ports';

const lifetimeMs = 300_000;

/**
 * Nonces for DPoP proofs that need no memory: the moment at which each was given out, and a MAC over it. Every process
 * that has the secret accepts those of the others.
 *
 * @see RFC 9449 §9
 */
export class DpopNonces {
  constructor(
    private readonly secret: Uint8Array,
    private readonly clock: Clock,
  ) {}

  current(): string {
    const moment = String(this.clock.nowMs());
    return `${moment}.${this.#mac(moment).toString('base64url')}`;
  }

  /** When a nonce was given out; undefined for one that is not ours, or five minutes old. */
  issuedAtMs(nonce: string): number | undefined {
    const [moment = '', mac = ''] = nonce.split('.');
    const expected = this.#mac(moment);
    const presented = Buffer.from(mac, 'base64url');
    if (presented.length !== expected.length || !timingSafeEqual(presented, expected)) return undefined;
    const issuedAtMs = Number(moment);
    return this.clock.nowMs() - issuedAtMs < lifetimeMs ? issuedAtMs : undefined;
  }

  #mac(moment: string): Buffer {
    return createHmac('sha256', this.secret).update(`dpop-nonce\n${moment}`).digest();
  }
}
