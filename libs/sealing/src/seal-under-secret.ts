import { hkdfSync } from 'node:crypto';
import { decryptAesGcm, encryptAesGcm, keyBytes } from './aes-gcm.js';

/**
 * Seals under a key that is derived from a secret which whoever comes back for the value presents: without it the
 * sealed form opens for nobody, not even for us. Only as strong as the secret is hard to guess.
 *
 * @see RFC 5869
 */
export function sealUnderSecret(secret: string, purpose: string, plaintext: string): string {
  const sealed = encryptAesGcm(keyFrom(secret, purpose), Buffer.from(plaintext), Buffer.from(purpose));
  return Buffer.from(sealed).toString('base64url');
}

/** @throws Error when the secret or the purpose is another one, or a bit was changed */
export function openUnderSecret(secret: string, purpose: string, sealed: string): string {
  const opened = decryptAesGcm(
    keyFrom(secret, purpose),
    Buffer.from(sealed, 'base64url'),
    Buffer.from(purpose),
  );
  return Buffer.from(opened).toString();
}

function keyFrom(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', purpose, keyBytes));
}
