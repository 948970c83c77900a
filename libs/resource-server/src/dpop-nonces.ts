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
    /** The first one makes, and all are known: two while it changes. */
    private readonly secrets: () => readonly Uint8Array[],
    private readonly clock: Clock,
  ) {}

  current(): string {
    const moment = String(this.clock.nowMs());
    const [newest] = this.secrets();
    if (newest === undefined) throw new Error('no secret for nonces');
    return `${moment}.${macOf(newest, moment).toString('base64url')}`;
  }

  /** When a nonce was given out; undefined for one that is not ours, or five minutes old. */
  issuedAtMs(nonce: string): number | undefined {
    const [moment = '', mac = ''] = nonce.split('.');
    const presented = Buffer.from(mac, 'base64url');
    const isOurs = this.secrets().some((secret) => {
      const expected = macOf(secret, moment);
      return presented.length === expected.length && timingSafeEqual(presented, expected);
    });
    if (!isOurs) return undefined;
    const issuedAtMs = Number(moment);
    return this.clock.nowMs() - issuedAtMs < lifetimeMs ? issuedAtMs : undefined;
  }
}

function macOf(secret: Uint8Array, moment: string): Buffer {
  return createHmac('sha256', secret).update(`dpop-nonce\n${moment}`).digest();
}
